import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { dateAndTime, fileDate, minutes, until, when } from "../../../web/src/words/dates.ts";
import { en } from "../../../web/src/words/en.ts";
import { formOf } from "../../../web/src/words/message.ts";
import { cut, languages, plain, speechOf, type Speech } from "../../../web/src/words/words.ts";

type Tree = { [key: string]: string | Tree };

function sentences(tree: Tree, path = ""): [path: string, text: string][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[`${path}${key}`, value] as [string, string]] : sentences(value, `${path}${key}.`)));
}

const english = new Map(sentences(en as unknown as Tree));
const places = (text: string) => [...new Set(Array.from(text.matchAll(/\{(\w+)\}/g), ([, name]) => name!))].sort();

for (const [language, words] of Object.entries(languages)) {
  const translated = sentences(words as unknown as Tree);

  test(`${language}: the same sentences with the same places as English`, () => {
    assert.deepEqual(translated.map(([path]) => path).sort(), [...english.keys()].sort());
    for (const [path, text] of translated) {
      // The form for one may say the number in a word.
      const wanted = places(english.get(path)!);
      const found = places(text);
      if (path.endsWith(".one")) assert.deepEqual(found.filter((name) => name !== "n"), wanted.filter((name) => name !== "n"), path);
      else assert.deepEqual(found, wanted, path);
    }
  });

  test(`${language}: none of the words that the page avoids, and no exclamation`, () => {
    const avoided: Record<string, RegExp> = {
      en: /!|\b(?:please|sorry|oops|invalid|incorrect|failed|MFA|2FA|OTP|TOTP|token|enrol\w*|authenticate|verify|WebAuthn|FIDO2?|trusted device|backup code|locked|blocked)\b/i,
      es: /[!¡]|\b(?:por favor|lo sentimos|inválid\w+|incorrecto(?!s)|token|MFA|2FA|OTP|TOTP|WebAuthn|bloquead\w+|usted)\b/i,
    };
    for (const [path, text] of translated) assert.doesNotMatch(text, avoided[language] ?? /!/, path);
  });

  test(`${language}: an error is 140 characters at most`, () => {
    for (const [path, text] of translated) if (path.startsWith("verify.wrong") || path.startsWith("verify.used")) assert.ok(text.length <= 140, path);
  });

  test(`${language}: every sentence ends as a sentence or is a name`, () => {
    for (const [path, text] of translated) assert.doesNotMatch(text, /\s$|^\s|  |\.\.\./, path);
  });
}

test("every sentence is used, and none stands in the code", () => {
  const folder = new URL("../../../web/src/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name) && !name.startsWith("words/e"));
  const code = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  for (const path of english.keys()) {
    const names = path.split(".").filter((name) => !["one", "other"].includes(name));
    const last = names.at(-1)!;
    // Some are reached by a computed name: `way[type]`, `${type}Row`, `words[ending.kind]`.
    const computed = /Row$|^lost(?:It)?$|^(?:sms|email|totp|passkey|push|recovery_code|scan|confirm|save|title|lead)$|^(?:sms|email)(?:Title|Label)$/.test(last);
    assert.ok(computed || new RegExp(`\\.${last}\\b|[{,] ${last}[,: }]`).test(code), `${path} is not used`);
  }
  for (const name of files) {
    const jsx = readFileSync(new URL(name, folder), "utf8");
    assert.doesNotMatch(jsx, />\s*[A-Z][a-z]+ [a-z]+[^<{]*</, `${name} has text of its own`);
  }
});

const speech = (language: string, tag = language): Speech => ({ language, tag, words: languages[language]! });
const at = (text: string) => new Date(text).getTime() / 1000;

test("the language is the session's, then the browser's, then English; its region is the browser's", () => {
  assert.deepEqual(speechOf(["es", null], ["en-GB"]).language, "es");
  assert.deepEqual(speechOf([null, null], ["es-MX", "en"]).tag, "es-MX");
  assert.deepEqual(speechOf([null, "en"], ["es-MX", "en-GB"]).tag, "en-GB");
  assert.deepEqual(speechOf(["xx", null], ["yy"]).language, "en");
  assert.deepEqual(speechOf(["es-AR"], []).language, "es");
  assert.deepEqual(speechOf([null], ["en-!!", "es"]).tag, "en", "a tag that Intl refuses");
  assert.deepEqual(speechOf(["constructor"], []).language, "en");
});

test("what stands in a sentence is isolated, and numbers are of the language", () => {
  const { verify } = languages.en!;
  assert.equal(plain(speech("en"), verify.wrong, { app: "مرج" }), "That code is not right. Check that your app is showing the code for \u2068مرج\u2069.");
  assert.equal(plain(speech("en"), verify.triesLeft, { n: 1 }), "You have one try left.");
  assert.equal(plain(speech("es"), languages.es!.verify.triesLeft, { n: 2 }), "Te quedan 2 intentos.");
});

test("a value is never read as a place", () => {
  assert.equal(plain(speech("en"), languages.en!.verify.wrong, { app: "{app}" }).split("{app}").length, 2);
});

test("text that somebody typed is cut at 40 characters, between characters", () => {
  assert.equal(cut("a".repeat(40)), "a".repeat(40));
  assert.equal(cut("a".repeat(41)), `${"a".repeat(39)}…`);
  assert.equal(Array.from(cut("😀".repeat(50))).length, 40);
});

test("times are told with their article, and by their day", () => {
  const now = at("2026-11-24T12:00");
  assert.equal(until(speech("es", "es-ES"), at("2026-11-24T15:20"), now), "las 15:20");
  assert.equal(until(speech("es", "es-ES"), at("2026-11-24T13:20") - 12 * 3600, now), "la 1:20");
  assert.equal(until(speech("en", "en-GB"), at("2026-11-24T15:20"), now), "15:20");
  assert.equal(until(speech("en", "en-GB"), at("2026-11-25T09:10"), now), "tomorrow at 09:10");
  assert.equal(until(speech("es", "es-ES"), at("2026-11-27T09:10"), now), "el 27 de noviembre a las 9:10");
  assert.equal(when(speech("en", "en-GB"), at("2026-11-24T09:02"), now, true), "today, 09:02");
  assert.equal(when(speech("en", "en-GB"), at("2026-11-24T09:02"), now), "today");
  assert.equal(when(speech("es", "es-ES"), at("2026-11-23T09:02"), now), "ayer");
  assert.equal(when(speech("es", "es-ES"), at("2026-11-03T09:02"), now), "el 3 nov");
  assert.equal(when(speech("en", "en-GB"), at("2025-03-02T09:02"), now), "2 Mar 2025");
  assert.deepEqual(dateAndTime(speech("en", "en-GB"), at("2026-11-25T19:40")), { date: "25 November", time: "19:40" });
  assert.equal(fileDate(at("2026-01-05T10:00")), "2026-01-05");
});

test("a countdown never shows more seconds than there are, nor less than none", () => {
  assert.deepEqual([272, 271.2, 59.01, 0, -5, 3661].map(minutes), ["4:32", "4:32", "1:00", "0:00", "0:00", "61:01"]);
});

test("forms follow the number", () => {
  assert.equal(formOf({ one: "a", other: "b" }, { n: 1 }, "en"), "a");
  assert.equal(formOf({ one: "a", other: "b" }, { n: 0 }, "en"), "b");
});
