// The console's pages in each of their states, in both languages, wide and light, narrow and dark. Answers are made here.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { address, holdAxe, holdWidth, observed } from "./support.ts";

const { PICTURES } = process.env;

type Answers = Record<string, unknown>;

const refusal = (status: number, error: string) => ({ refused: status, error });
const client = {
  client_id: "shop", name: "Shop", disabled: false, test: false, created_at: 1_760_000_000,
  settings: { brand: { name: null, logo_url: null, colour: null }, methods: ["totp"], return_urls: ["https://shop.example/done"], support_url: "https://shop.example/help", sms_countries: ["ES"], locale: "en", passkey_user_verification: "preferred", require_step_up: true, cooldown_seconds: 90 },
};
const event = { id: 7, at: 1_760_000_000, client_id: "shop", user_id: "nora\u202E114", event: "of_a_later_version", outcome: "failure", method: "totp", operator: "ana", request_id: "9f3c", detail: { name: "<b>\u2066x" } };

const HOUR = 3_600;
const counts = (times: number) => ({
  enrolments: { begun: 3 * times, finished: 2 * times },
  verifications: [
    { method: "totp", class: null, outcome: "verified", count: 40 * times },
    { method: "sms", class: null, outcome: "verified", count: 9 * times },
    { method: "passkey", class: null, outcome: "verified", count: 21 * times },
    { method: null, class: "totp", outcome: "failed", count: 5 * times },
    { method: null, class: "delivered", outcome: "failed", count: 2 * times },
    { method: "totp", class: null, outcome: "replayed", count: times },
  ],
  locks: [{ class: "totp", count: Math.round(times / 6) }],
  messages: [
    { channel: "sms", country: "ES", range: null, sent: 10 * times, failed: 0, refused: 0, verified: 9 * times },
    { channel: "sms", country: "GB", range: null, sent: 5 * times, failed: 1, refused: 0, verified: times },
    { channel: "sms", country: "PT", range: null, sent: 3, failed: 0, refused: 0, verified: 3 },
  ],
  provider_calls: [{ provider: "twilio", count: 15 * times, failures: Math.floor(times / 10), p50_ms: 320, p95_ms: 810 }, { provider: "sendgrid", count: 4 * times, failures: 0, p50_ms: 180, p95_ms: 420 }],
});
/** What would be answered now: the hours before, or the days before them. */
function statistics(url: URL) {
  const [from, to, step] = ["from", "to", "step"].map((name) => Number(url.searchParams.get(name)));
  const begin = Math.floor(from! / step!) * step!;
  const end = Math.ceil(to! / step!) * step!;
  const buckets = [];
  let all = 0;
  for (let at = begin; at < end; at += step!) {
    // Few at four in the morning, many in the afternoon, and nothing in one hour.
    const hours = at / HOUR;
    const times = Math.round((step! / HOUR) * (6 - 5 * Math.cos(((hours - 4) / 12) * Math.PI) + (hours % 3)));
    if (hours % 24 === 2) continue;
    all += times;
    buckets.push({ at, client_id: null, ...counts(times) });
  }
  const total = counts(all);
  if (step === 24 * HOUR) total.messages[1]!.verified = 4 * all;
  return { from: begin, to: end, step, complete: true, users: 5_210, locked: { totp: 10, delivered: 2, recovery: 0 }, clients: [], total, buckets };
}
const ring = { accounts: 1_000, current: 600, keys: [{ id: "k3", role: "current", accounts: 600 }, { id: "k2", role: "former", accounts: 400 }] };
const webhook = { url: "https://shop.example/hooks/candado", events: ["locked", "disabled"], previous_secret_expires_at: 1_760_086_400 };
const delivery = { id: "msg_1", event: "locked", state: "delivered", created_at: 1_760_000_000, attempts: 1, attempted_at: 1_760_000_001, next_attempt_at: null, delivered_at: 1_760_000_001, response_status: 204, problem: null };
const deliveries = { deliveries: [delivery, { ...delivery, id: "msg_2", state: "pending", attempts: 3, next_attempt_at: 1_760_000_600, response_status: 500 }, { ...delivery, id: "msg_3", event: "test", state: "dead", response_status: null, problem: "<i>no answer in 5 seconds" }], next: "msg_3" };
const hooked = { "clients/shop/webhook": webhook, "clients/shop/webhook/deliveries": deliveries };

interface State {
  name: string;
  hash: string;
  answers: Answers;
  /** What is there once it is shown. */
  seen: (page: Page) => Promise<unknown>;
}

const heading = (page: Page) => page.locator("main h1").waitFor();
const seen = (selector: string) => (page: Page) => page.locator(selector).first().waitFor();
const press = (name: string, then: string) => async (page: Page) => {
  await page.locator(`main [name=${name}]`).click();
  await page.locator(then).waitFor();
};

const states: State[] = [
  { name: "overview", hash: "#/overview", answers: {}, seen: seen(".chart rect.hit") },
  { name: "overview-week", hash: "#/overview?span=week", answers: {}, seen: seen(".chart rect.hit") },
  { name: "overview-nothing", hash: "#/overview?client=shop&span=hours", answers: { statistics: { from: 0, to: 300, step: 300, complete: false, users: 0, locked: {}, clients: [], total: { enrolments: { begun: 0, finished: 0 }, verifications: [], locks: [], messages: [], provider_calls: [] }, buckets: [] } }, seen: seen(".empty") },
  { name: "webhook-none", hash: "#/clients/shop/webhook", answers: {}, seen: seen(".empty") },
  { name: "webhook", hash: "#/clients/shop/webhook", answers: hooked, seen: seen("[name^=again-]") },
  { name: "webhook-set", hash: "#/clients/shop/webhook", answers: hooked, seen: async (page) => (await page.locator("main [name=set]").click(), page.locator("dialog [name=all]").waitFor()) },
  { name: "clients-none", hash: "#/clients", answers: { clients: { clients: [] } }, seen: seen(".empty") },
  { name: "clients-no-match", hash: "#/clients?text=zzz", answers: {}, seen: seen(".empty [name=clear]") },
  { name: "client-unknown", hash: "#/clients/nope", answers: { "clients/nope": refusal(404, "not_found") }, seen: seen(".banner.bad [name=again]") },
  { name: "client-create", hash: "#/clients", answers: {}, seen: press("create", "dialog") },
  { name: "client-keys-none", hash: "#/clients/shop/keys", answers: { "clients/shop/keys": { keys: [] } }, seen: seen(".empty") },
  { name: "client-settings", hash: "#/clients/shop/settings", answers: {}, seen: seen(".setting") },
  { name: "users-choose", hash: "#/users", answers: {}, seen: seen(".empty") },
  { name: "users-no-match", hash: "#/users?client=shop&prefix=nor", answers: { users: { users: [], next: null } }, seen: seen(".empty") },
  { name: "audit-none", hash: "#/audit", answers: { audit: { events: [], next: null } }, seen: seen(".empty") },
  { name: "audit-odd", hash: "#/audit?user=x", answers: { audit: { events: [event], next: 7 } }, seen: async (page) => (await page.locator("[aria-expanded][data-row]").click(), page.locator(".detail").waitFor()) },
  { name: "audit-failed", hash: "#/audit?user=x", answers: { audit: refusal(500, "internal") }, seen: seen(".banner.bad") },
  { name: "loading", hash: "#/clients/shop/keys", answers: { "clients/shop/keys": "never" }, seen: seen(".bones") },
  { name: "system-bad", hash: "#/system", answers: { health: refusal(503, "unavailable"), "key-ring": { accounts: 1_000, current: 600, keys: [{ id: "k3", role: "current", accounts: 600 }, { id: "k2", role: "former", accounts: 399 }, { id: "k1", role: "missing", accounts: 1 }] } }, seen: seen("progress") },
  { name: "nothing", hash: "#/nowhere", answers: {}, seen: seen(".empty") },
  { name: "keys", hash: "#/clients", answers: {}, seen: async (page) => (await page.keyboard.press("?"), page.locator("dialog kbd").first().waitFor()) },
];

/** Answers as the admin API would; what a state does not name is what all have. */
async function answer(page: Page, answers: () => Answers) {
  const usual: Answers = { clients: { clients: [client, { ...client, client_id: "test_shop", test: true, disabled: true, name: "A name of sixty-four characters, which is as long as it can be" }] }, "clients/shop": client, health: { status: "ok", version: "1.2.3" }, "key-ring": ring };
  await page.route(/\/(?:admin\/.*|health)$|\/admin\/.*\?/, async (route) => {
    const url = new URL(route.request().url());
    const path = url.pathname.replace(/^\/(?:admin\/)?/, "");
    const body = answers()[path] ?? usual[path] ?? (path === "statistics" ? statistics(url) : null) ?? refusal(404, "not_found");
    if (body === "never") return;
    const { refused, error } = body as { refused?: number; error?: string };
    if (refused) return route.fulfill({ status: refused, json: { status: "failure", error, message: "It is said why." } });
    return route.fulfill({ json: body });
  });
}

async function signIn(page: Page, hash: string) {
  await page.goto(`${address}/console${hash}`);
  await page.locator("[name=token]").fill("x".repeat(32));
  await page.keyboard.press("Enter");
  await heading(page);
}

for (const [locale, colorScheme, viewport] of [["en-GB", "light", { width: 1280, height: 900 }], ["es-ES", "dark", { width: 360, height: 740 }]] as const) {
  test(`each state of the console is accessible and fits, ${locale}, ${viewport.width} pixels, ${colorScheme}`, async () => {
    const { context, complaints } = await observed({ locale, colorScheme, viewport, reducedMotion: "reduce" });
    try {
      const page = await context.newPage();
      let answers: Answers = {};
      await answer(page, () => answers);
      const keep = (name: string) => PICTURES && page.screenshot({ path: `${PICTURES}/console-${name}.${locale.slice(0, 2)}.png` });
      await page.goto(`${address}/console`);
      await page.locator("[name=token]").waitFor();
      await holdAxe(page, "sign-in");
      await keep("sign-in");
      await signIn(page, "#/clients");
      if (viewport.width < 900) {
        await page.locator("[name=menu]").click();
        await holdAxe(page, "menu");
        await keep("menu");
      }
      for (const state of states) {
        const where = `${state.name}, ${locale}`;
        // A page of its own each time, in the same session.
        await page.evaluate(() => (location.hash = "#/between"));
        await page.locator(".empty").waitFor();
        answers = state.answers;
        await page.evaluate((hash) => (location.hash = hash), state.hash);
        await state.seen(page);
        await holdAxe(page, where);
        await holdWidth(page, where);
        await keep(state.name);
        await page.keyboard.press("Escape");
      }
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  });
}

test("ATK-107: what an answer says is text, and what cannot be seen in it is seen", async () => {
  const { context, complaints } = await observed({});
  const page = await context.newPage();
  await answer(page, () => ({ audit: { events: [event], next: null } }));
  await signIn(page, "#/audit");
  await page.locator("[aria-expanded][data-row]").click();
  const row = await page.locator("tbody").innerText();
  assert.match(row, /nora⟨U\+202E⟩114/);
  assert.match(row, /<b>⟨U\+2066⟩x/);
  assert.doesNotMatch(row, /[\u202A-\u202E\u2066-\u2069]/);
  assert.equal(await page.locator("tbody b").count(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("keys go from place to place outside of fields, and can be turned off", async () => {
  const { context } = await observed({});
  const page = await context.newPage();
  await answer(page, () => ({}));
  await signIn(page, "#/clients");
  await page.locator("[name=text]").waitFor();
  await page.keyboard.press("/");
  await page.locator("[name=text]:focus").waitFor();
  await page.keyboard.type("gu");
  await page.waitForURL(/#\/clients\?text=gu$/);
  await page.locator("[name=text]").fill("");
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/clients\/shop$/);
  await page.keyboard.type("gs");
  await page.waitForURL(/#\/system$/);
  await page.keyboard.press("?");
  await page.locator("[name=keys-on]").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.type("ga");
  assert.match(page.url(), /#\/system$/);
  await context.close();
});

test("the look is the system's until another one is chosen, and is kept nowhere", async () => {
  const { context } = await observed({ colorScheme: "light" });
  const page = await context.newPage();
  await answer(page, () => ({}));
  await signIn(page, "#/clients");
  const back = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--page"));
  const light = await back();
  await page.locator("[name=theme-dark]").click();
  const dark = await back();
  assert.notEqual(dark, light);
  await page.locator("[name=theme-system]").click();
  assert.equal(await back(), light);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await back(), dark);
  await page.locator("[name=theme-light]").click();
  assert.equal(await back(), light);
  await page.locator("[name=language-es]").click();
  assert.equal(await page.locator("h1").innerText(), "Clientes");
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
  await context.close();
});

test("each chart is read by arrow keys, and as a table; its points lead to what stands behind them", async () => {
  const { context, complaints } = await observed({});
  const page = await context.newPage();
  await answer(page, () => ({}));
  await signIn(page, "#/overview");
  const charts = page.locator(".chart");
  await charts.first().waitFor();
  assert.equal(await charts.count(), 3);
  for (const chart of await charts.all()) {
    await chart.locator(".drawing").focus();
    await page.keyboard.press("End");
    await chart.locator(".reading", { hasText: "so far" }).waitFor();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    const read = await chart.locator(".reading").innerText();
    await chart.getByRole("button", { name: "Show as table" }).click();
    const row = await chart.locator("tbody tr").nth(1).innerText();
    for (const number of read.match(/ [\d,.%]+/g) ?? []) assert.ok(row.includes(number.trim().replace(/,$/, "")), `${read} is not ${row}`);
    await chart.getByRole("button", { name: "Show as table" }).click();
  }
  await charts.first().locator(".drawing").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/audit\?from=\d{4}-\d\d-\d\dT\d\d%3A\d\d&to=/);
  assert.deepEqual(complaints, []);
  await context.close();
});
