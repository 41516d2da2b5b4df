// The real page against the real program: a login by an app, by e-mail, by none, and of another browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, button, enrolled, heading, lastMail, picture, result, returnUrl, service, totp, type, visit } from "./service.ts";

test("the code of an app confirms a login, and the application learns of whom and by what", async () => {
  const { user, secret } = await enrolled();
  const url = await begin(user, "verify", { nonce: "n-1" });
  await visit(async (page) => {
    await page.goto(url);
    await button(page, "way-totp").or(page.locator("input[name=code]")).first().waitFor();
    assert.doesNotMatch(page.url(), /\./, "the secret is gone from the address");
    await picture(page, "verify");
    await type(page, "000000");
    await page.locator(".field .error").waitFor();
    await type(page, totp(secret));
    const told = await result(page);
    assert.deepEqual([told.user_id, told.purpose, told.method, told.nonce], [user, "verify", "totp", "n-1"]);
  });
});

test("a code by e-mail confirms a login, and the e-mail wears the application's brand", async () => {
  const { user } = await enrolled();
  const url = await begin(user, "verify", { locale: "es" });
  await visit(async (page) => {
    await page.goto(url);
    await page.locator(".screen").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "es");
    await button(page, "other-way").click();
    await button(page, "way-email").click();
    await picture(page, "verify-email");
    const send = button(page, "send");
    if (await send.isVisible()) await send.click();
    await page.locator("input[name=code]").waitFor();
    const mail = await lastMail(user);
    assert.match(mail.subject, /Meadow/);
    assert.match(mail.html, /#1f6f4a/);
    await type(page, mail.text.match(/^\d{6}$/m)![0]);
    assert.equal((await result(page)).method, "email");
  });
});

test("leaving without a proof is told to the application as such", async () => {
  const { user } = await enrolled();
  const url = await begin(user, "verify");
  await visit(async (page) => {
    await page.goto(url);
    await page.locator(".screen").waitFor();
    await page.locator("header button").click();
    await page.waitForURL((at) => at.href.startsWith(returnUrl));
    assert.equal(new URL(page.url()).search, "?error=access_denied&state=s-123");
  });
});

test("ATK-97: a second browser with the same link is told that the page is another's", async () => {
  const { user } = await enrolled();
  const url = await begin(user, "verify");
  await visit(async (page) => {
    await page.goto(url);
    await page.locator("input[name=code]").waitFor();
    await visit(async (other) => {
      await other.goto(url);
      await heading(other).getByText("another browser").waitFor();
      assert.doesNotMatch(await other.locator("body").innerText(), new RegExp(user));
    });
    await page.reload();
    await page.locator("input[name=code]").waitFor();
  });
});

test("ATK-99: the page and its parts have the headers it was built with, and nothing may frame it", async () => {
  const page = await fetch(`${service.url}/session`);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'self'.*frame-ancestors 'none'; require-trusted-types-for 'script'/);
  assert.equal(page.headers.get("cache-control"), "no-store");
  const html = await page.text();
  const [, script] = html.match(/src="(\/web\/[^"]+\.js)"/)!;
  const file = await fetch(`${service.url}${script}`);
  assert.equal(file.status, 200);
  assert.equal(file.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.match(file.headers.get("content-type")!, /javascript/);
  const preflight = await fetch(`${service.url}/session/verify`, { method: "OPTIONS", headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" } });
  assert.equal(preflight.headers.get("access-control-allow-origin"), null);
});
