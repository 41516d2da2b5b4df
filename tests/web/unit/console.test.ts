// What the console is made of, without a browser.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { Api, at, Failure, nextOf } from "../../../web/src/console/api.ts";
import { changesOf, definitions, draftOf, fieldOf, isOutside, methods, patchOf } from "../../../web/src/console/definitions.ts";
import { collect, commandFor } from "../../../web/src/console/collect.ts";
import { stageOf } from "../../../web/src/console/idle.ts";
import { href, read } from "../../../web/src/console/route.ts";
import { columnsOf, concernsOf, healthOf, localOf, outcomesOf, placesOf, shareOf, spans, type Counts, type Statistics, waysOf } from "../../../web/src/console/statistics.ts";
import { fileName, seen, short } from "../../../web/src/console/text.ts";
import { scopes, topics } from "../../../web/src/console/types.ts";
import { en } from "../../../web/src/console/words/en.ts";
import { languageOf, languages, tagOf } from "../../../web/src/console/words/words.ts";
import { contrast } from "../../../web/src/look/colour.ts";

const root = new URL("../../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");
const folder = new URL("web/src/console/", root);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
const openapi = JSON.parse(text("docs/openapi.json")).components.schemas;

type Tree = { [key: string]: string | Tree };
const sentences = (tree: Tree, path = ""): [path: string, text: string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[`${path}${key}`, value] as [string, string]] : sentences(value, `${path}${key}.`)));
const places = (sentence: string) => [...new Set(Array.from(sentence.matchAll(/\{(\w+)\}/g), ([, name]) => name!))].sort();
const english = new Map(sentences(en as unknown as Tree));

test("the console says the same in every language, with the same places", () => {
  for (const [language, words] of Object.entries(languages)) {
    const translated = sentences(words as unknown as Tree);
    assert.deepEqual(translated.map(([path]) => path).sort(), [...english.keys()].sort(), language);
    for (const [path, sentence] of translated) {
      assert.deepEqual(places(sentence), places(english.get(path)!), `${language} ${path}`);
      assert.doesNotMatch(sentence, /[!¡]|\s$|^\s|  |\.\.\.|\b(?:please|sorry|oops|por favor|usted)\b/i, `${language} ${path}`);
    }
  }
});

test("every sentence of the console is used, and none stands in its code", () => {
  const code = files.filter((name) => !/words\/e[ns]/.test(name)).map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const);
  const all = code.map(([, source]) => source).join("\n");
  // Reached by a computed name.
  const computed = /^(?:event|setting|problem|place|theme|apiKeys\.scope|client\.overlaps|overview\.(?:spans|healths)|webhook\.states|user\.(?:class|states|factors)|system\.roles)\.|^settings\.(?:sending|limits|security|page)$/;
  for (const path of english.keys()) {
    const last = path.replace(/\.(?:one|other)$/, "").split(".").at(-1)!;
    assert.ok(computed.test(path) || new RegExp(`\\.${last}\\b|[{,] ${last}[,: }]|"${last}"`).test(all), `${path} is not used`);
  }
  for (const [name, source] of code) assert.doesNotMatch(source, />\s*[A-Z][a-z]+ [a-z]+[^<{=;]*</, `${name} has text of its own`);
});

test("each event of the service has words", () => {
  const named = Array.from(text("src/domain/event.rs").matchAll(/^\s+Self::\w+ => "(\w+)",$/gm), ([, name]) => name!);
  assert.ok(named.length > 30);
  assert.deepEqual(named.filter((name) => !Object.hasOwn(en.event, name)), []);
});

test("the form knows each setting, with the bounds that the service holds", () => {
  const { brand, ...settings } = openapi.Settings.properties as Record<string, { minimum?: number; maximum?: number; default?: unknown }>;
  assert.ok(brand);
  const known = definitions.map(({ name }) => name).filter((name) => !name.startsWith("brand_"));
  assert.deepEqual(known.sort(), Object.keys(settings).sort());
  assert.deepEqual(definitions.filter(({ name }) => name.startsWith("brand_")).length, Object.keys(openapi.Brand.properties).length);
  for (const definition of definitions) {
    assert.ok(Object.hasOwn(en.setting, definition.name), definition.name);
    if (definition.kind !== "number") continue;
    const { minimum, maximum, default: normal } = settings[definition.name]!;
    assert.deepEqual([definition.min, definition.normal, definition.max], [minimum, normal, maximum], definition.name);
  }
  assert.deepEqual([...methods], openapi.Method.enum);
  assert.deepEqual([...scopes], openapi.Scopes.items.enum);
});

const settings = { brand: { name: null, logo_url: null, colour: "#111111" }, cooldown_seconds: 60, require_step_up: false, return_urls: ["https://a.example/"], sms_countries: null, methods: null, issuer: null };

test("only what was changed is sent: a number as one, lines as a list, a brand as a whole, nothing as null", () => {
  const before = draftOf(settings);
  assert.deepEqual(changesOf(before, before), []);
  const draft = { ...before, cooldown_seconds: "90", return_urls: " https://a.example/ \n\nhttps://b.example/", sms_countries: "es, pt", require_step_up: "true", brand_name: "Meadow", issuer: " " };
  const changed = changesOf(before, draft);
  assert.deepEqual(patchOf(changed, draft), {
    cooldown_seconds: 90,
    return_urls: ["https://a.example/", "https://b.example/"],
    sms_countries: ["ES", "PT"],
    require_step_up: true,
    issuer: null,
    brand: { name: "Meadow", colour: "#111111", logo_url: null },
  });
  assert.deepEqual(patchOf(["cooldown_seconds", "methods"], { ...before, cooldown_seconds: "", methods: "" }), { cooldown_seconds: null, methods: null });
  const cooldown = definitions.find(({ name }) => name === "cooldown_seconds")!;
  assert.deepEqual(["59", "60", "60.5", "x", "", "3600", "3601"].map((value) => isOutside(cooldown, value)), [true, false, true, true, false, false, true]);
  assert.deepEqual([fieldOf("settings.brand", ["brand_colour"]), fieldOf("settings.return_urls", []), fieldOf("name", []), fieldOf(null, [])], ["brand_colour", "return_urls", "name", null]);
});

test("ATK-107: what cannot be seen in a name is seen, and nothing is cut in half", () => {
  assert.equal(seen("pay\u202Eme\u0000\u2066\uFEFF"), "pay⟨U+202E⟩me⟨U+0000⟩⟨U+2066⟩⟨U+FEFF⟩");
  assert.equal(seen("Ünïcode مرج 😀"), "Ünïcode مرج 😀");
  assert.equal(short("😀".repeat(41)), `${"😀".repeat(39)}…`);
  assert.equal(fileName("audit", "../../etc/passwd", undefined, "=cmd\u202Egpj"), "audit-..-..-etc-passwd--cmd-gpj");
  assert.equal(fileName("..", "x"), "x");
});

test("an id of any characters comes back from the address, and is one part of a path", () => {
  const id = `a/b?c#d%e&f=g+'"<`;
  assert.deepEqual(read(href(["users", "shop", id], { event: "failed", user: id, client: undefined })), { path: ["users", "shop", id], filters: { event: "failed", user: id } });
  assert.deepEqual(read("#/users/%E0%A4%A"), { path: ["users", "%E0%A4%A"], filters: {} });
  assert.deepEqual(read(""), { path: [], filters: {} });
  assert.equal(at`/admin/users/${"shop"}/${"../x?y#z/"}`, "/admin/users/shop/..%2Fx%3Fy%23z%2F");
});

test("ATK-107: the token goes to this origin only, and whatever prints the object does not know it", async () => {
  assert.equal(nextOf('</admin/audit?format=csv&after=1>; rel="next"'), "/admin/audit?format=csv&after=1");
  for (const link of [null, '<https://evil.example/admin/audit>; rel="next"', '<//evil.example/admin/>; rel="next"', '</mfa/x>; rel="next"']) assert.equal(nextOf(link), null);
  const asked: [string, RequestInit][] = [];
  const token = "a-token-that-is-long-enough-for-it";
  await withFetch(async (path, options) => (asked.push([path, options]), new Response("{}")), async () => {
    const api = new Api();
    await api.enter(token);
    assert.ok(![JSON.stringify(api), inspect(api, { showHidden: true, depth: 9 }), Object.values(api).join()].some((printed) => printed.includes(token)));
    await api.call("GET", "/admin/audit", { query: { user_id: "a&b", event: "" } });
    assert.equal(asked[1]![0], "/admin/audit?user_id=a%26b");
    const { headers, credentials, redirect, referrerPolicy, cache } = asked[1]![1];
    assert.deepEqual([credentials, redirect, referrerPolicy, cache], ["omit", "error", "no-referrer", "no-store"]);
    assert.equal((headers as Record<string, string>).Authorization, `Bearer ${token}`);
    api.leave();
    assert.equal(api.isOpen, false);
    for (const odd of ["", "two words", "línea", "a\r\nb"]) await assert.rejects(api.enter(odd), { code: "invalid_token" });
    assert.equal(asked.length, 2, "what is no token is not sent");
  });
});

test("ATK-107: no code of the console stores, writes markup or makes code of text", () => {
  for (const name of files) {
    const source = readFileSync(new URL(name, folder), "utf8").replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
    const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|DOMParser|srcdoc|localStorage|sessionStorage|indexedDB|document\.cookie|\bcaches\b|\beval\b|new Function|postMessage|console\.(?:log|info|debug|warn|error)/;
    assert.doesNotMatch(source, forbidden, name);
  }
});

async function withFetch(answer: (path: string, options: RequestInit) => Promise<Response>, work: () => Promise<void>) {
  const before = globalThis.fetch;
  globalThis.fetch = answer as typeof fetch;
  try {
    await work();
  } finally {
    globalThis.fetch = before;
  }
}

const line = (id: number) => `${id},1,shop,"'=cmd",failed\r\n`;

test("an export is every page, with one head, and ends where it is more than a page can hold", () => {
  const asked: string[] = [];
  const answer = async (path: string, { signal }: RequestInit) => {
    signal?.throwIfAborted();
    asked.push(path);
    if (!path.includes("format=csv")) return new Response("{}");
    const second = path.includes("before=7");
    return new Response(`id,at,client_id,user_id,event\r\n${second ? line(6) : line(8) + line(7)}`, { headers: second ? {} : { Link: '</admin/audit?format=csv&before=7>; rel="next"' } });
  };
  return withFetch(answer, async () => {
    const api = new Api();
    await api.enter("token");
    const rows: number[] = [];
    const found = await collect(api, { client_id: "shop" }, "csv", new AbortController().signal, (count) => rows.push(count));
    assert.equal(found!.parts.join(""), `id,at,client_id,user_id,event\r\n${line(8)}${line(7)}${line(6)}`);
    assert.deepEqual([rows, found!.rows], [[2, 3], 3]);
    assert.equal(await collect(api, {}, "csv", new AbortController().signal, () => {}, 10), null);
    const ended = new AbortController();
    ended.abort();
    await assert.rejects(collect(api, {}, "csv", ended.signal, () => {}), Failure);
  });
});

test("the command line for a large export quotes each filter", () => {
  assert.equal(commandFor({ client_id: "shop", user_id: "a'; rm -rf /; '", from: 5, event: "" }, "csv"), `candado audit --client='shop' --user='a'\\''; rm -rf /; '\\''' --from='5' --all --format csv > audit.csv`);
});

test("nobody at the desk is warned after 14 minutes and gone after 15", () => {
  assert.deepEqual([0, 839_999, 840_000, 899_999, 900_000, 9e9].map(stageOf), ["present", "present", "warned", "warned", "ended", "ended"]);
});

test("the language is the browser's first that there is", () => {
  assert.deepEqual([languageOf(["fr", "es-MX"]), languageOf(["fr"]), languageOf(["constructor"])], ["es", "en", "en"]);
  assert.deepEqual([tagOf("es", ["en-GB", "es-AR"]), tagOf("es", ["en"])], ["es-AR", "es"]);
});

test("charts are told apart on both cards, by 4.5 to 1 and more", () => {
  const look = text("web/src/console/look.css");
  const colours = Array.from(look.matchAll(/--chart-\d: (#[0-9a-f]{6})/g), ([, colour]) => colour!);
  assert.equal(colours.length, 12);
  colours.forEach((colour, index) => assert.ok(contrast(colour, index < 6 ? "#ffffff" : "#171d25") >= 4.5, colour));
});

test("script and style of the console are at most 120 KB, gzipped", () => {
  const dist = new URL("web/dist/web/", root);
  const size = readdirSync(dist).filter((name) => /^console-.*\.(?:js|css)$/.test(name)).reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0);
  assert.ok(size > 10_000 && size <= 120_000, `${size} bytes`);
});

const none: Counts = { enrolments: { begun: 0, finished: 0 }, verifications: [], locks: [], messages: [], provider_calls: [] };
const verified = (method: string, count: number) => ({ method, class: null, outcome: "verified", count });
const texts = (country: string, sent: number, verified: number) => ({ channel: "sms", country, range: null, sent, failed: 0, refused: 0, verified });
const period = (total: Partial<Counts>, more: Partial<Statistics> = {}): Statistics => ({ from: 0, to: 7_200, step: 3_600, complete: true, users: 1, locked: {}, clients: [], total: { ...none, ...total }, buckets: [], ...more });

test("a step in which nothing happened is there, and the one that is not over says so", () => {
  const statistics = period({}, { to: 4 * 3_600, buckets: [{ ...none, at: 3_600, client_id: null, verifications: [verified("totp", 5), { method: null, class: "totp", outcome: "failed", count: 2 }, { method: "totp", class: null, outcome: "replayed", count: 1 }], locks: [{ class: "totp", count: 3 }] }] });
  const columns = columnsOf(statistics, outcomesOf, 4 * 3_600 - 1, 24);
  assert.deepEqual(columns.map(({ values }) => values), [[0, 0, 0, 0], [5, 2, 3, 1], [0, 0, 0, 0], [0, 0, 0, 0]]);
  assert.deepEqual(columns.map(({ running }) => running), [false, false, false, true]);
  const together = columnsOf(statistics, outcomesOf, 4 * 3_600 - 1, 2);
  assert.deepEqual(together.map(({ from, to, values, running }) => [from, to, values[0], running]), [[0, 7_200, 5, false], [7_200, 14_400, 0, true]]);
  for (const [back, step] of Object.values(spans)) assert.ok(back / step <= 170);
});

test("shares need enough to stand on", () => {
  assert.deepEqual([shareOf(19, 0, 20), shareOf(19, 1, 20), shareOf(0, 0)], [null, 0.95, null]);
  assert.deepEqual(placesOf({ ...none, messages: [texts("PT", 19, 19), texts("ES", 20, 5), { ...texts("ES", 30, 5), channel: "email" }] }), [{ country: "ES", sent: 20, used: 5, share: 0.25 }, { country: "PT", sent: 19, used: 19, share: null }]);
  assert.deepEqual(waysOf({ ...none, verifications: [verified("sms", 2), verified("totp", 3), verified("sms", 2)] }), [{ name: "sms", count: 4 }, { name: "totp", count: 3 }]);
  assert.deepEqual([healthOf(0, 0), healthOf(1_000, 9), healthOf(100, 1), healthOf(100, 5)], ["none", "good", "watch", "bad"]);
});

test("what to look at is told by its rules, and nothing else is", () => {
  const usual = period({ messages: [texts("GB", 100, 80), texts("ES", 100, 80)], locks: [{ class: "totp", count: 14 }] }, { from: 0, to: 7 * 86_400 });
  const call = (failures: number) => ({ provider: "twilio", count: 100, failures, p50_ms: 1, p95_ms: 2 });
  const kinds = (total: Partial<Counts>, missing = 0) => concernsOf(period(total, { from: 0, to: 86_400 }), usual, missing).map(({ kind }) => kind);
  assert.deepEqual(kinds({}), []);
  assert.deepEqual(kinds({ messages: [texts("GB", 20, 8), texts("ES", 20, 7), texts("PT", 20, 0)] }), ["country"]);
  assert.deepEqual(kinds({ provider_calls: [call(0)] }), []);
  assert.deepEqual(kinds({ provider_calls: [call(1)] }), ["provider"]);
  assert.deepEqual(kinds({ locks: [{ class: "totp", count: 9 }] }), []);
  assert.deepEqual(kinds({ locks: [{ class: "totp", count: 10 }] }), ["locks"]);
  assert.deepEqual(kinds({}, 1), ["missing"]);
  assert.deepEqual(concernsOf(period({ locks: [{ class: "totp", count: 99 }] }), null, 0), []);
});

test("a time of a chart is one that the record's filter takes", () => {
  const at = Math.floor(Date.now() / 60_000) * 60;
  assert.equal(new Date(localOf(at)).getTime() / 1000, at);
});

test("what a webhook can be told of is what the service tells", () => {
  assert.deepEqual([...topics].sort(), [...openapi.WebhookEvents.items.enum].sort());
  for (const topic of topics) assert.ok(Object.hasOwn(en.event, topic), topic);
});
