import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Three builds into one folder, so that the page is one script: a chunk shared with the others would be a fourth request.
export default defineConfig(({ mode }) => ({
  root: here("."),
  publicDir: false,
  plugins: mode === "page" ? [headers()] : [],
  build: {
    outDir: here("dist"),
    emptyOutDir: mode === "page",
    assetsDir: "web",
    target: ["es2022", "safari16.4", "chrome111", "firefox115"],
    // It would put an inline script to work, and there is nothing to preload.
    modulePreload: false,
    assetsInlineLimit: 0,
    // The licences of what is built in go with it.
    license: mode === "element" ? false : { fileName: mode === "console" ? "web/console-licences.md" : "web/licences.md" },
    rolldownOptions:
      mode === "element"
        ? { input: here("src/element/candado-mfa.tsx"), output: { entryFileNames: "candado-mfa.js" } }
        : mode === "console"
          ? { input: { console: here("console.html") } }
          : { input: { session: here("session.html") } },
  },
}));

/** headers.json as Cloudflare's static assets and the native program read it. */
function headers(): Plugin {
  return {
    name: "headers",
    generateBundle() {
      const paths = JSON.parse(readFileSync(here("headers.json"), "utf8")) as Record<string, Record<string, string>>;
      const lines = Object.entries(paths).flatMap(([path, fields]) => [path, ...Object.entries(fields).map(([name, value]) => `  ${name}: ${value}`), ""]);
      this.emitFile({ type: "asset", fileName: "_headers", source: lines.join("\n") });
    },
  };
}
