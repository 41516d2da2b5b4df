// The browser for what looks at pages: CHROMIUM, or Debian's, installed if it is missing.
import { existsSync } from "node:fs";
import { capture, Problem, step } from "./steps.mjs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

// No look-ups and downloads of the browser's own.
const browserArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What tests are told: where it is, and its arguments. */
export const browserVariables = async () => ({ CHROMIUM: await chromium(), CHROMIUM_ARGUMENTS: browserArguments.join(" ") });

async function chromium() {
  const { CHROMIUM } = process.env;
  if (CHROMIUM && !existsSync(CHROMIUM)) throw new Problem(`CHROMIUM=${CHROMIUM}: there is no such program.`);
  const present = CHROMIUM ?? places.find(existsSync);
  if (present) return present;
  const canInstall = process.getuid?.() === 0 && (await capture("apt-get", ["--version"])).code === 0;
  if (!canInstall) {
    throw new Problem("This needs Chromium: install it (on Debian `sudo apt install chromium`), or say where it is: CHROMIUM=/path npm run …");
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await step("Reading Debian's package lists", "about 5 s", "apt-get", ["update"], { env, log: ["apt-update"] });
  const install = ["install", "--yes", "--no-install-recommends", "chromium"];
  await step("Installing Chromium", "about 30 s", "apt-get", install, { env, log: ["apt-chromium"] });
  return places.find(existsSync);
}
