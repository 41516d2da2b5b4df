import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const guides = readdirSync(join(root, "docs", "guides")).map((name) => `/docs/${name.replace(".md", "")}`);
const pages = ["/", ...guides, "/docs/nothing"];
const reference = "/docs#tag/codes/POST/mfa/verify";
// What is Scalar's own and cannot be mended from outside.
const scalarsOwn = ["label-content-name-mismatch", "landmark-unique"];

// scripts/site-test.mjs serves them and finds the browser.
const site = process.env.SITE_URL;
let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: process.env.CHROMIUM_ARGUMENTS.split(" ") });
});
after(() => browser?.close());

/** Opens a page, gives it to `look`, and holds that it reported nothing to the console. */
async function visit(path, options, look) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(site + path);
    // Last of all a page's script shows the way to the search.
    if (options.javaScriptEnabled !== false) await page.locator("button.search").waitFor();
    await look(page, context);
    // That the page itself is not there is told, too.
    assert.deepEqual(complaints.filter((text) => !(path === "/docs/nothing" && text.includes("404"))), []);
  } finally {
    await context.close();
  }
}

const looks = ["light", "dark"].flatMap((colorScheme) => [1280, 390].map((width) => ({ colorScheme, width })));

/** In each look the page is no wider than the screen, and axe finds nothing. In the dark only colours are others. */
async function holdLooks(page, ...disabledRules) {
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const look = `${width} pixels, ${colorScheme}`;
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, look);
    const rules = colorScheme === "dark" ? ["color-contrast"].filter((rule) => !disabledRules.includes(rule)) : [];
    if (colorScheme === "dark" && rules.length === 0) continue;
    const axe = new AxeBuilder({ page });
    const { violations } = await (rules.length ? axe.withRules(rules) : axe.disableRules(disabledRules)).analyze();
    assert.deepEqual(told(violations), [], look);
  }
}

const told = (violations) => violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);

for (const path of pages) {
  test(`${path} is accessible and as wide as the screen`, () => visit(path, {}, (page) => holdLooks(page)));
}

test("the reference is accessible and as wide as the screen", () =>
  visit(reference, {}, async (page) => {
    await page.getByRole("heading", { name: "Verify a code" }).first().waitFor();
    await page.locator(".response-card").first().waitFor();
    await holdLooks(page, ...scalarsOwn);
  }));

test("a path that is no file is a page below /docs, and the Worker's everywhere else", async () => {
  const get = (path) => fetch(site + path, { headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" }, redirect: "manual" });
  for (const path of ["/docs/nothing", "/docs/assets/nothing.js"]) {
    const response = await get(path);
    assert.equal(response.status, 404, path);
    assert.match(await response.text(), /<h1>Page not found<\/h1>/, path);
  }
  for (const path of ["/health", "/qrcode/user123?t=x", "/mfa/status", "/admin/clients", "/nothing", "/index.html"]) {
    assert.equal(await (await get(path)).text(), `the Worker: GET ${path.split("?")[0]}`);
  }
  const verify = await fetch(`${site}/mfa/verify`, { method: "POST" });
  assert.equal(await verify.text(), "the Worker: POST /mfa/verify");
});

test("no page may run a script, or load anything, that is not the site's", async () => {
  for (const path of [...pages, "/docs"]) {
    const response = await fetch(site + path);
    const policy = response.headers.get("content-security-policy");
    assert.match(policy, /^default-src 'none'; script-src 'self'; /, path);
    assert.match(policy, /base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/, path);
    const html = await response.text();
    assert.doesNotMatch(html, /<script(?![^>]* src="\/)|\son\w+=|\sstyle=|(?:src|href)="(?:https?:)?\/\/[^"]*\.(?:js|css)"/i, path);
  }
});

test("every link leads somewhere, to the section it names", async () => {
  const ids = new Map();
  const idsOf = async (path) => {
    if (!ids.has(path)) {
      const response = await fetch(site + path);
      ids.set(path, response.ok ? [...(await response.text()).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id) : null);
    }
    return ids.get(path);
  };
  const document = JSON.parse(readFileSync(join(root, "docs", "openapi.json"), "utf8"));
  for (const path of ["/", ...guides]) {
    const html = await (await fetch(site + path)).text();
    for (const [, href] of html.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^https?:/.test(href)) continue;
      const [target, fragment] = href.split("#");
      const found = await idsOf(target || path);
      assert.ok(found, `${path} links to ${href}`);
      const operation = target === "/docs" && fragment?.match(/^tag\/[\w-]+\/([A-Z]+)(\/.+)$/);
      if (operation) assert.ok(document.paths[operation[2]]?.[operation[1].toLowerCase()], `${path} links to ${href}`);
      else if (fragment) assert.ok(found.includes(fragment), `${path} links to ${href}`);
    }
  }
});

test("every error of the API has a section, which its code leads to", async () => {
  const html = await (await fetch(`${site}/docs/errors`)).text();
  const table = readFileSync(join(root, "docs", "guides", "errors.md"), "utf8").matchAll(/^\| \d{3} \| `(\w+)` \|/gm);
  const codes = [...table].map(([, code]) => code);
  assert.ok(codes.length > 20);
  for (const code of codes) assert.match(html, new RegExp(`<h3 id="${code}">`));
});

test("a language that was chosen stays chosen, on every page", () =>
  visit("/docs/quick-start", {}, async (page) => {
    const shown = () => page.locator(".panel:visible").evaluateAll((panels) => [...new Set(panels.map(({ dataset }) => dataset.tab))]);
    await page.locator(".tabs label", { hasText: "Python" }).first().click();
    assert.deepEqual(await shown(), ["Python"]);
    await page.goto(`${site}/docs/enrol`);
    assert.deepEqual(await shown(), ["Python"]);
  }));

test("commands name the address the page was served from, and are copied as they are shown", () =>
  visit("/docs/enrol", { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const block = page.locator(".code").first();
    await block.getByRole("button", { name: "Copy" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.startsWith(`curl -s ${site}/mfa/register \\\n`), copied);
    assert.doesNotMatch(await page.locator("main").innerText(), /localhost:8787/);
  }));

test("the search finds guides and operations, by keyboard alone", () =>
  visit("/docs/limits", {}, async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("factor_disabled");
    await page.locator("dialog.search li").first().waitFor();
    assert.match(await page.getByRole("status").innerText(), /^\d+ results?$/);
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(told(violations), []);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${site}/docs/errors#factor_disabled`);

    await page.keyboard.press("Control+k");
    await page.keyboard.type("recovery-codes");
    await page.locator("dialog.search strong", { hasText: "POST /mfa/recovery-codes" }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog.search").isVisible(), false);
  }));

test("on a phone the guides are a menu away", () =>
  visit("/docs/limits", { viewport: { width: 390, height: 844 } }, async (page) => {
    assert.equal(await page.getByRole("link", { name: "Recover" }).isVisible(), false);
    await page.getByRole("button", { name: "All guides" }).click();
    await page.getByRole("link", { name: "Recover" }).click();
    await page.waitForURL(`${site}/docs/recover`);
  }));

test("without scripts every language can still be chosen", () =>
  visit("/docs/quick-start", { javaScriptEnabled: false }, async (page) => {
    const group = page.locator(".tabs").first();
    await group.getByText("TypeScript", { exact: true }).click();
    assert.equal(await group.locator('[data-tab="TypeScript"]').isVisible(), true);
    assert.equal(await group.locator('[data-tab="curl"]').isVisible(), false);
  }));
