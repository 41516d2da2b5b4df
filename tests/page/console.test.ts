// The operator's console against the real program, in Chromium.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { holdAxe, holdContrast, holdWidth } from "../web/look.ts";
import { ask, button, enrolled, picture, post, service, status, totp, visit } from "./service.ts";

const admin = (method: string, path: string, body?: object) => ask(method, path, service.admin_token, body);

/** Opens the console at an address and signs in. */
async function entered(page: Page, address = "") {
  await page.goto(`${service.url}/console${address}`);
  await page.getByLabel("Token").fill(service.admin_token);
  await page.keyboard.press("Enter");
  await page.locator("main#main h1").waitFor();
}

const toast = (page: Page, text: string | RegExp) => page.locator(".toast", { hasText: text }).waitFor();
const act = (page: Page) => button(page, "act");
/** A press on a row's own button, on what is in sight. */
const open = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).first().click();

/** Axe and the screen's width, in what is worn now and in the dark. */
async function hold(page: Page, name: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await (colorScheme === "light" ? holdAxe : holdContrast)(page, `${name}, ${colorScheme}`);
    await holdWidth(page, `${name}, ${colorScheme}`);
    await picture(page, `console-${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

test("an operator creates a client, whose secret is shown once and works", () =>
  visit(async (page) => {
    await entered(page, "#/clients");
    await button(page, "create").click();
    await page.getByLabel("Name", { exact: true }).fill("Orchard");
    await page.getByLabel("Id", { exact: true }).fill("orchard");
    await button(page, "submit").click();
    const secret = await page.locator("[data-secret]").innerText();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    assert.ok(await page.locator("[data-secret]").isVisible(), "no key closes what is shown once");
    assert.ok(await button(page, "close").isDisabled());
    await page.getByLabel("I have stored it").check();
    await hold(page, "secret");
    await button(page, "close").click();
    await toast(page, "Orchard");
    await page.waitForURL(/#\/clients\/orchard$/);
    assert.ok((await ask("POST", "/auth", null, { client_id: "orchard", client_secret: secret })).access_token);
    assert.ok(!(await page.content()).includes(secret), "it is gone from the page");
    await hold(page, "client");

    await open(page, "Settings");
    await page.getByLabel("Wait between two messages", { exact: true }).fill("30");
    await page.getByText("A whole number from 60 to 3,600").waitFor();
    await page.getByLabel("Wait between two messages", { exact: true }).fill("90");
    await page.getByLabel("Brand colour", { exact: true }).fill("red");
    await button(page, "review").click();
    await hold(page, "review");
    await button(page, "save").click();
    await page.locator("#main .error", { hasText: "#rrggbb" }).waitFor();
    await page.getByLabel("Brand colour", { exact: true }).fill("#1f6f4a");
    await hold(page, "settings");
    await button(page, "review").click();
    assert.match(await page.locator(".review").innerText(), /from 60\s+to 90/);
    await button(page, "save").click();
    await toast(page, "Saved");
    const { settings } = await admin("GET", "/admin/clients/orchard");
    assert.deepEqual([settings.cooldown_seconds, settings.brand.colour], [90, "#1f6f4a"]);

    await open(page, "Keys");
    await button(page, "create-key").click();
    await page.getByLabel("Name", { exact: true }).fill("Nightly job");
    await button(page, "submit").click();
    await page.getByText("Tick at least one.").waitFor();
    await button(page, "scope-read").check();
    await button(page, "submit").click();
    const key = await page.locator("[data-secret]").innerText();
    assert.match(key, /^cdo_orchard\./);
    await page.getByLabel("I have stored it").check();
    await button(page, "close").click();
    await page.getByRole("button", { name: /Revoke key/ }).click();
    assert.ok(await act(page).isDisabled());
    await hold(page, "revoke");
    await page.getByLabel("I know that").check();
    await act(page).click();
    await page.getByText("No key yet.").waitFor();
    await assert.rejects(ask("GET", "/mfa/status?user_id=x", key), /401/);
  }));

test("from “someone can't get in” to unlocked, on a phone too; the record shows what was wrong", async () => {
  const { user } = await enrolled();
  for (let time = 0; time < 5; time++) await assert.rejects(post("/mfa/verify", { user_id: user, code: `00000${time}` }));
  for (const [name, viewport] of [["desk", { width: 1280, height: 900 }], ["phone", { width: 360, height: 740 }]] as const) {
    await visit(
      async (page) => {
        await entered(page, `#/users?client=${service.client_id}&prefix=${user}`);
        await open(page, user);
        await page.locator("h1", { hasText: user }).waitFor();
        const timeline = page.locator("tr[data-event]");
        await timeline.first().waitFor();
        const kinds = await timeline.evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.event));
        if (name === "desk") assert.deepEqual(kinds.filter((kind) => ["failed", "locked"].includes(kind!)), ["locked", "failed", "failed", "failed", "failed", "failed"]);
        await hold(page, `user-${name}`);
        if (name === "phone") return;
        await button(page, "unlock").click();
        await page.getByText("Whoever was guessing can guess again.").waitFor();
        await hold(page, "unlock");
        await act(page).click();
        await toast(page, "unlocked");
        await page.locator("tr[data-event=unlocked]").waitFor();
        await page.getByText("Nobody has guessed wrong.").or(page.locator(".counts .chip.good").first()).first().waitFor();
      },
      { viewport },
    );
  }
  assert.equal((await status(user)).locked_until, null);
});

test("the overview counts what happened", async () => {
  const { user, secret } = await enrolled();
  await post("/mfa/verify", { user_id: user, code: totp(secret) });
  await assert.rejects(post("/mfa/verify", { user_id: user, code: "000000" }), /invalid_code/);
  await visit(async (page) => {
    await entered(page);
    await page.waitForURL(/#\/overview$/);
    await page.locator(".chart rect.hit").first().waitFor();
    assert.ok(Number(await page.locator(".tiles strong").first().innerText()) >= 1);
    const chart = page.locator(".chart").first();
    await chart.locator(".drawing").focus();
    await page.keyboard.press("End");
    assert.match(await chart.locator(".reading").innerText(), /right [1-9]\d*, not right [1-9].* so far/);
    await hold(page, "overview");
  });
});

test("a webhook is set, tested and removed", () =>
  visit(async (page) => {
    await entered(page, `#/clients/${service.client_id}/webhook`);
    await page.getByText("No webhook is set.").waitFor();
    await button(page, "set").click();
    await page.getByLabel("Address", { exact: true }).fill("http://10.0.0.1/");
    await button(page, "submit").click();
    await page.locator("dialog .error").waitFor();
    await page.getByLabel("Address", { exact: true }).fill(`${service.url}/hooks`);
    await button(page, "submit").click();
    assert.match(await page.locator("[data-secret]").innerText(), /^whsec_/);
    await page.getByLabel("I have stored it").check();
    await button(page, "close").click();
    await button(page, "test-event").click();
    await page.locator("td", { hasText: "test" }).first().waitFor();
    await hold(page, "webhook");
    await button(page, "remove").click();
    await page.getByLabel("I know that").check();
    await act(page).click();
    await page.getByText("No webhook is set.").waitFor();
  }));

test("turning MFA off wants a tick, deleting wants the id typed, and Enter does nothing before", async () => {
  const { user } = await enrolled();
  await visit(async (page) => {
    await entered(page, `#/users/${service.client_id}/${user}`);
    await button(page, "disable").click();
    assert.equal(await page.evaluate(() => document.activeElement!.getAttribute("name")), "safe", "the safe choice has the focus");
    assert.ok(await act(page).isDisabled());
    await page.getByLabel("I know that").check();
    await act(page).click();
    await page.getByText("MFA is off", { exact: true }).waitFor();
    assert.equal((await status(user)).state, "disabled");
    await button(page, "delete").click();
    await page.locator("[name=typed]").fill(user.slice(0, -1));
    await page.keyboard.press("Enter");
    assert.ok(await act(page).isDisabled());
    await page.locator("[name=typed]").fill(user);
    await page.keyboard.press("Enter");
    await hold(page, "delete");
    assert.equal((await status(user)).state, "disabled", "Enter does nothing");
    assert.equal(await act(page).innerText(), `Delete user ${user}`);
    await act(page).click();
    await page.waitForURL(/#\/users\?client=/);
    assert.equal((await status(user)).state, "none");
    await page.goto(`${service.url}/console#/users/${service.client_id}/${user}`);
    await page.getByText("Nothing is held about this id.").waitFor();
  });
});

test("rotating keeps the old secret for the overlap, and says until when", async () => {
  const { client_secret: old } = await admin("POST", "/admin/clients", { client_id: "turning", name: "Turning" });
  await visit(async (page) => {
    await entered(page, "#/clients/turning");
    await button(page, "rotate").click();
    await page.getByText("The present secret works until").waitFor();
    await page.getByLabel("Overlap").selectOption("none");
    await page.getByText("is dead at once").waitFor();
    await page.getByLabel("Overlap").selectOption("day");
    await page.getByLabel("I know that").check();
    await act(page).click();
    const secret = await page.locator("[data-secret]").innerText();
    for (const client_secret of [old, secret]) assert.ok((await ask("POST", "/auth", null, { client_id: "turning", client_secret })).access_token);
    await page.getByLabel("I have stored it").check();
    await button(page, "close").click();
    await button(page, "turn").click();
    await page.getByText("0 users cannot be checked").waitFor();
    await act(page).click();
    await toast(page, /Turning.* is off/);
    await assert.rejects(ask("POST", "/auth", null, { client_id: "turning", client_secret: secret }), /401/);
    await button(page, "delete").click();
    await page.getByText("0 users go with it.").waitFor();
    await page.locator("[name=typed]").fill("turning");
    await act(page).click();
    await page.waitForURL(/#\/clients$/);
  });
  await assert.rejects(admin("GET", "/admin/clients/turning"), /404/);
});

test("ATK-107: names with markup, other directions and formulas are shown and exported harmless", async () => {
  const name = `<img src=x onerror=alert(1)> مرج`;
  const user = `=cmd|'/c'!A1<script>alert(1)</script>`;
  const { client_secret } = await admin("POST", "/admin/clients", { client_id: "odd", name });
  const { access_token } = await ask("POST", "/auth", null, { client_id: "odd", client_secret });
  await ask("POST", "/mfa/register", access_token, { user_id: user });
  await visit(async (page) => {
    page.on("dialog", () => assert.fail("something ran"));
    await entered(page, "#/clients");
    await page.locator("td bdi", { hasText: name }).waitFor();
    await hold(page, "clients");
    await page.goto(`${service.url}/console#/users?client=odd`);
    await open(page, user);
    await page.locator("h1", { hasText: user }).waitFor();
    await open(page, "All events of this user");
    await page.locator("tr[data-event=enrolled]").waitFor();
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.match(page.url(), /client=odd&user=/);
    await page.locator("tr[data-event=enrolled] [aria-expanded]").click();
    await hold(page, "audit-odd");
    for (const format of ["csv", "jsonl"]) {
      await button(page, "export").click();
      await page.getByLabel("Format").selectOption(format);
      const [file] = await Promise.all([page.waitForEvent("download"), button(page, "start").click()]);
      assert.match(file.suggestedFilename(), new RegExp(`^audit-odd-\\d{4}-\\d\\d-\\d\\d\\.${format}$`));
      const text = readFileSync(await file.path(), "utf8");
      if (format === "csv") assert.match(text, /^id,at,client_id[^\n]*\r\n\d+,\d+,odd,"'=cmd/);
      else assert.equal(JSON.parse(text.split("\n")[0]!).user_id, user);
    }
  });
});

test("the record is filtered by what stands in the address, page after page, and exported whole", async () => {
  const { user, secret } = await enrolled();
  await post("/mfa/verify", { user_id: user, code: totp(secret, Date.now() / 1000) });
  await visit(async (page) => {
    await entered(page, `#/audit?client=${service.client_id}`);
    await page.locator("tr[data-event]").first().waitFor();
    await page.getByLabel("Event", { exact: true }).selectOption("verified");
    await page.waitForFunction(() => [...document.querySelectorAll<HTMLElement>("tr[data-event]")].every((row) => row.dataset.event === "verified"));
    await page.getByLabel("User", { exact: true }).fill(user);
    await page.getByText("1 event on this page").waitFor();
    await hold(page, "audit");
    const address = page.url();
    await button(page, "without-user").click();
    await button(page, "clear").click();
    await page.goto("about:blank");
    await page.goto(address);
    await page.getByLabel("Token").fill(service.admin_token);
    await page.keyboard.press("Enter");
    await page.getByText("1 event on this page").waitFor();
    await page.getByLabel("Operator", { exact: true }).fill("nobody");
    await page.getByText("No event matches.").waitFor();
    await hold(page, "audit-none");
    await page.goto(`${service.url}/console#/system`);
    await page.getByText("Every user is sealed under").waitFor();
    await hold(page, "system");
  });
});

test("ATK-107: the token is in no storage, address or page; a reload asks again, and the place is kept", () =>
  visit(async (page) => {
    const { headers } = await fetch(`${service.url}/console`).then((response) => ({ headers: response.headers }));
    const policy = headers.get("content-security-policy")!;
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'", "form-action 'none'", "base-uri 'none'"]) assert.ok(policy.includes(part), part);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.deepEqual([headers.get("cache-control"), headers.get("referrer-policy"), headers.get("x-frame-options")], ["no-store", "no-referrer", "DENY"]);

    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${service.url}/console#/system`);
    await page.getByLabel("Token").fill("not the token");
    await page.keyboard.press("Enter");
    await page.getByText("This is not the operator's token.").waitFor();
    await hold(page, "sign-in");
    await entered(page, "#/system");
    const kept = () =>
      page.evaluate(async () => {
        const databases = await indexedDB.databases();
        const cached = await caches.keys();
        return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, databases, cached, document.documentElement.outerHTML, Object.keys(window).map((name) => String((window as never)[name]))]);
      });
    assert.ok(!(await kept()).includes(service.admin_token));
    assert.ok(!asked.join("\n").includes(encodeURIComponent(service.admin_token)));
    assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    await page.reload();
    await page.getByLabel("Token").waitFor();
    assert.equal(await page.getByLabel("Token").inputValue(), "");
    assert.match(page.url(), /#\/system$/);
  }));

test("ATK-107: nobody at the desk for 15 minutes is signed out, after a warning; a refused token, too", () =>
  visit(async (page) => {
    await page.clock.install();
    await entered(page, "#/clients");
    await page.clock.fastForward(14 * 60_000);
    await page.getByText("In a minute you will be signed out.").waitFor();
    await button(page, "stay").click();
    await page.clock.fastForward(14 * 60_000 - 10_000);
    assert.equal(await button(page, "stay").count(), 0);
    await page.clock.fastForward(70_000);
    await page.getByText("Nobody pressed anything for 15 minutes").waitFor();
    assert.equal(await page.locator("td").count(), 0, "what was shown is gone");
    await page.getByLabel("Token").fill(service.admin_token);
    await page.keyboard.press("Enter");
    await page.locator("td").first().waitFor();
    await page.route("**/admin/**", (route) => route.fulfill({ status: 401, json: { status: "failure", error: "invalid_token", message: "no" } }));
    await button(page, "reload").click();
    await page.getByText("The service does not know the token any more.").waitFor();
  }));
