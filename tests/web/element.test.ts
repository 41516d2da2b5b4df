// <candado-mfa> inside a page of the application's own, under that page's strict policy, in the same origin.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import { after, before, test } from "node:test";
import { address, appCode, heading, holdAxe, make, standIn, type, visit, worldOf, type Made } from "./support.ts";

const element = readFileSync(new URL("../../web/dist/candado-mfa.js", import.meta.url));
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

// The application: a page of its own, and /mfa/session handed on to the service with the page's origin put right.
let shop: string;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url!, shop);
  if (pathname.startsWith("/mfa/")) {
    const headers = { ...request.headers, host: new URL(address).host, ...(request.headers.origin === shop && { origin: address }) };
    const onward = ask(`${address}${request.url!.slice("/mfa".length)}`, { method: request.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    return void request.pipe(onward);
  }
  if (pathname === "/candado-mfa.js") return void response.writeHead(200, { "Content-Type": "text/javascript" }).end(element);
  if (pathname === "/shop.js") return void response.writeHead(200, { "Content-Type": "text/javascript" }).end(script);
  const attributes = `base="${searchParams.get("base") ?? "/mfa"}"`;
  const html = `<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1><p id="own">text of the shop</p><candado-mfa ${attributes}></candado-mfa></main><script type="module" src="/shop.js"></script></html>`;
  response.writeHead(200, { "Content-Type": "text/html", "Content-Security-Policy": policy }).end(html);
});
const script = `
const element = document.querySelector("candado-mfa");
element.setAttribute("session", decodeURIComponent(location.search.match(/session=([^&]+)/)[1]));
window.left = [];
element.addEventListener("candado-leave", (event) => {
  window.left.push(event.detail.redirect);
  if (location.search.includes("stay")) event.preventDefault();
});
await import("/candado-mfa.js");
`;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  shop = `http://localhost:${(server.address() as { port: number }).port}`;
});
after(() => (server.closeAllConnections(), server.close()));

const url = (made: Made, more = "") => `${shop}/?session=${encodeURIComponent(made.hash)}${more}`;
const app = { user: { last_method: "totp" } };

test("a code is verified inside the application's page, which is told where to go", async () => {
  const made = await make("verify-app", app);
  await visit({}, async ({ page }) => {
    await page.goto(url(made, "&stay"));
    await page.locator("candado-mfa .heading", { hasText: "Confirm it is you" }).waitFor();
    assert.equal(await page.locator("candado-mfa header, candado-mfa footer, candado-mfa .skip").count(), 0);
    assert.equal(await page.title(), "Shop", "the title is the page's");
    assert.equal(await page.locator("#own").evaluate((own) => getComputedStyle(own).fontFamily.includes("system-ui")), false, "its style stays inside");
    await type(page, await appCode(made));
    await page.waitForFunction(() => (window as never as { left: string[] }).left.length === 1);
    const [redirect] = await page.evaluate(() => (window as never as { left: string[] }).left);
    assert.equal(new URL(redirect!).searchParams.get("code"), worldOf(made).session.result);
    assert.equal(new URL(page.url()).origin, shop, "a prevented event keeps the browser here");
  });
});

test("unless the event is prevented, the browser goes to the return address", async () => {
  const made = await make("verify-app", app);
  await visit({}, async ({ page }) => {
    await page.goto(url(made));
    await page.locator("candado-mfa").getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL(/returned\?error=access_denied/);
  });
});

test("the secret does not stay in the document, and the page's history is left alone", async () => {
  const made = await make("verify-passkey");
  await visit({}, async ({ page }) => {
    await page.goto(url(made, "&stay"));
    await page.locator("candado-mfa .heading").waitFor();
    assert.equal(await page.locator("candado-mfa").getAttribute("session"), null);
    const before = await page.evaluate(() => [history.length, history.state]);
    await page.locator("candado-mfa [name=other-way]").click();
    await page.locator("candado-mfa .heading", { hasText: "Choose another way" }).waitFor();
    assert.deepEqual(await page.evaluate(() => [history.length, history.state]), before);
    await page.locator("candado-mfa [name=back]").click();
    await page.locator("candado-mfa .heading", { hasText: "Confirm it is you" }).waitFor();
  });
});

test("the secret is sent to no other origin, whatever the attribute says", async () => {
  const made = await make("verify-app", app);
  await visit({}, async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.route("**/session/open", (route) => route.fulfill({ status: 404, json: { status: "failure", error: "session_not_found", message: "" } }));
    for (const base of ["https://evil.example", "//evil.example/x", "/\\evil.example", "javascript:x", "/a/../..//evil.example"]) {
      await page.goto(url(made, `&base=${encodeURIComponent(base)}`));
      await page.locator("candado-mfa .heading").waitFor();
    }
    assert.deepEqual(asked.filter((one) => new URL(one).origin !== shop), []);
  });
});

test("it is as accessible as the page", async () => {
  const made = await make("verify-list");
  await visit({}, async ({ page }) => {
    await page.goto(url(made));
    await page.locator("candado-mfa .heading").waitFor();
    await holdAxe(page, "the element");
    assert.equal(await heading(page).count(), 1, "one heading of the first rank: the page's own");
  });
});

test("a fresh browser is another browser there, too", async () => {
  const made = await make("verify-app", app);
  worldOf(made).session.browser = "somebody else's";
  assert.ok(standIn.worlds.has(made.id));
  await visit({}, async ({ page }) => {
    await page.goto(url(made));
    await page.locator("candado-mfa .heading", { hasText: "This page belongs to another browser" }).waitFor();
  });
});
