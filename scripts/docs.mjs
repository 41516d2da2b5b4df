// Assembles public/, which the Worker serves beside its routes: openapi.json, the API reference and the guides.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cached } from "./cache.mjs";
import { environment, installPackages } from "./npm.mjs";
import { main, Problem, root, step } from "./steps.mjs";

const output = join(root, "public");
const site = (name) => readFileSync(join(root, "docs", "site", name));
const guides = ["quick-start", "enrol", "log-in", "recover", "move-from-pyotp", "errors", "limits", "going-live", "run-it-yourself"];

// The one file of the package that is served. Its dependencies, which are built into it, would be 250 MB.
const scalar = {
  version: "1.72.1",
  integrity: "sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==",
  path: "package/dist/browser/standalone.js",
};

export async function docs() {
  const { Marked } = await import("marked");
  const document = readFileSync(join(root, "docs", "openapi.json"));
  const files = new Map([
    ["_headers", site("_headers")],
    ["openapi.json", document],
    ["docs.html", fill("reference.html", { header: header("docs") })],
    ["docs/assets/scalar.js", readFileSync(await scalarBundle())],
    ...["style.css", "reference.css", "reference.js", "icon.svg", "scalar.LICENSE.txt"].map((name) => [`docs/assets/${name}`, site(name)]),
  ]);
  const marked = renderer(Marked, JSON.parse(document));
  const titles = guides.map((name) => [name, guide(name).match(/^# (.*)$/m)[1]]);
  titles.forEach(([name, title], index) => {
    const next = titles[index + 1];
    const page = fill("guide.html", {
      title,
      header: header(name),
      guides: `<ul>\n${titles.map(([other, text]) => `<li>${link(`/docs/${other}`, text, other === name)}</li>`).join("\n")}\n</ul>`,
      content: marked.parse(guide(name)),
      next: next ? `<p class="next">Next: <a href="/docs/${next[0]}">${next[1]}</a></p>` : "",
    });
    files.set(`docs/${name}.html`, page);
  });
  write(files);
}

const guide = (name) => readFileSync(join(root, "docs", "guides", `${name}.md`), "utf8");

const link = (href, text, current) => `<a href="${href}"${current ? ' aria-current="page"' : ""}>${text}</a>`;

function header(current) {
  return `<header>
<a class="name" href="/docs/quick-start"><img src="/docs/assets/icon.svg" alt="">Candado</a>
${link("/docs/quick-start", "Guides", guides.includes(current))}
${link("/docs", "API reference", current === "docs")}
<a href="/openapi.json">openapi.json</a>
</header>`;
}

const fill = (template, values) => site(template).toString().replace(/\{\{(\w+)\}\}/g, (_, name) => values[name]);

/** Markdown as on GitHub; and each operation it names is a link into the reference. */
function renderer(Marked, { paths }) {
  const tags = {};
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, { tags: [tag] }] of Object.entries(item)) tags[`${method.toUpperCase()} ${path}`] = tag;
  }
  const slug = (text) => text.toLowerCase().replace(/\s+/g, "-");
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${slug(text).replace(/[^\w-]/g, "")}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const page = href.match(/^([\w-]+)\.md(#.*)?$/);
        return `<a href="${page ? `/docs/${page[1]}${page[2] ?? ""}` : escape(href)}">${this.parser.parseInline(tokens)}</a>`;
      },
      codespan({ text }) {
        const code = `<code>${escape(text)}</code>`;
        const operation = text.replace(/\?.*/, "");
        const [method, path] = operation.split(" ");
        return tags[operation] ? `<a href="/docs#tag/${slug(tags[operation])}/${method}${path}">${code}</a>` : code;
      },
      table(token) {
        return `<div class="table">${new Marked().Renderer.prototype.table.call(this, token)}</div>`;
      },
    },
  });
}

/** Writes what differs and removes what is not there any more, so that a running `wrangler dev` reloads only for a change. */
function write(files) {
  for (const [name, content] of files) {
    const path = join(output, name);
    if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !files.has(path.slice(output.length + 1).replaceAll("\\", "/"))) rmSync(path);
  }
}

async function scalarBundle() {
  const folder = cached("docs");
  const bundle = join(folder, `scalar-${scalar.version}.js`);
  if (existsSync(bundle)) return bundle;
  const work = join(folder, `unpacking-${process.pid}`);
  mkdirSync(work, { recursive: true });
  const pack = ["pack", `@scalar/api-reference@${scalar.version}`, "--pack-destination", work];
  await step("Fetching the API reference's program", "about 5 s", "npm", pack, { env: environment, log: ["npm-pack-scalar"] });
  const archive = join(work, `scalar-api-reference-${scalar.version}.tgz`);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (integrity !== scalar.integrity) throw new Problem(`@scalar/api-reference ${scalar.version} is not the package it was: ${integrity}.`);
  await step("Unpacking it", "about 1 s", "tar", ["-xzf", archive, "-C", work, scalar.path], { log: ["unpack-scalar"] });
  renameSync(join(work, scalar.path), bundle);
  rmSync(work, { recursive: true, force: true });
  return bundle;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await installPackages();
    await docs();
  });
}
