import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { example, mails } from "../../../web/dev/emails/preview.ts";
import { examples, languages, render, wordsOf, type Block, type Mail } from "../../../web/dev/emails/render.ts";

const notices = ["way_added", "way_removed", "recovered", "codes_replaced", "mfa_off"];
const everywhere = ["app", "date", "time", "support", "browser"];
const readme = readFileSync(new URL("../../../web/emails/README.md", import.meta.url), "utf8");

const sentences = (block: Block): string[] => Object.values(block).flat();
const placesOf = (texts: string[]) => [...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)))].sort();
const placesIn = ({ subject, preview, title, blocks }: Mail) => placesOf([subject, preview, title, ...blocks.flatMap(sentences)]);
/** The mail as it is read: without what is not seen, and with entities read. */
const seen = (html: string) =>
  html
    .replace(/<style>[\s\S]*?<\/style>|<title>.*?<\/title>|<div style="display:none.*?<\/div>/g, "")
    .replace(/<\/?(?:a|bdi)\b[^>]*>/g, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#(\d+);/g, (_, number: string) => String.fromCharCode(Number(number)))
    .replace(/&nbsp;/g, " ")
    .replace(/\s+/g, " ");

test("both languages have the same mails, of the same blocks, with the same places", () => {
  const shape = (language: string) =>
    Object.entries(wordsOf(language).mails).map(([name, mail]) => [name, placesIn(mail), mail.blocks.map((block) => [Object.keys(block), ...sentences(block).map((one) => placesOf([one]))])]);
  assert.deepEqual(shape("es"), shape("en"));
  assert.deepEqual(Object.keys(wordsOf("en").mails), mails);
});

test("the page on the mails names every place of each", () => {
  for (const [name, mail] of Object.entries(wordsOf("en").mails)) {
    const row = readme.match(new RegExp(`^\\| \`${name}\` \\|.*\\| ?(.*) \\|$`, "m"));
    assert.ok(row, name);
    const written = [...row[1]!.matchAll(/`(\w+)`/g)].map(([, place]) => place!);
    assert.deepEqual(written.sort(), placesIn(mail).filter((place) => !everywhere.includes(place)), name);
  }
});

test("no place is left open, with everything that may be missing and without it", () => {
  for (const language of languages) {
    for (const name of mails) {
      const full = example(name, language);
      const bare = render(name, language, { ...examples.brand, support: null }, { ...examples.mails[name], at: examples.asked.at });
      for (const { subject, html, text } of [full, bare]) {
        assert.doesNotMatch(`${subject}${text}${html}`, /undefined|null|\{\w+\}/, `${name} ${language}`);
      }
      assert.match(full.text, /Chrome, Windows[\s\S]*https:\/\/meadow\.example\/help/);
      assert.doesNotMatch(bare.text + bare.html, /meadow\.example\/help|(?:Help|Ayuda):/);
    }
  }
});

test("the plain part says what the HTML says", () => {
  for (const language of languages) {
    for (const name of mails) {
      const { html, text } = example(name, language);
      const read = seen(html);
      for (const line of text.split("\n").filter((one) => one !== "" && one !== "--")) {
        const address = line.startsWith("https://mfa.");
        assert.ok(address ? html.includes(`href="${line}"`) : read.includes(line.replace(/:$/, "")), `${name} ${language}: ${line}`);
      }
    }
  }
});

test("a code stands on a line of its own and in the hidden first line, and never in the subject", () => {
  for (const language of languages) {
    for (const name of ["code", "recovery_code"]) {
      const { code } = examples.mails[name]!;
      const { subject, html, text } = example(name, language);
      assert.ok(text.split("\n").includes(code!));
      assert.match(html, new RegExp(`mso-hide:all;">${code} `));
      assert.ok(!subject.includes(code!));
    }
    for (const mail of Object.values(wordsOf(language).mails)) assert.doesNotMatch(mail.subject, /\{(?:code|url|stop_url|name)\}/);
  }
});

test("a notice holds no link but the application's support", () => {
  for (const language of languages) {
    for (const name of notices) {
      const { html } = example(name, language);
      assert.deepEqual([...new Set([...html.matchAll(/href="([^"]*)"/g)].map(([, url]) => url))], ["https://meadow.example/help"]);
    }
  }
});

test("whoever names a way cannot put a link, markup, a header or a place into a mail", () => {
  const name = 'x</p><a href="https://evil.example">see https://evil.example</a>\r\nBcc: a@evil.example {code} $& \u2028';
  const brand = { app: 'A & "B" <i>\r\nBcc: somebody', colour: 'red;background:url("https://evil.example")', support: "https://meadow.example/help" };
  for (const mail of ["way_added", "way_removed", "recovered"]) {
    const { subject, html, text } = render(mail, "en", brand, { ...examples.asked, type: "totp", name, ways: [name, name] });
    assert.doesNotMatch(subject, /[\r\n]/);
    assert.doesNotMatch(html, /<i>|evil\.example(?!")|https:\/\/evil|url\(/);
    assert.deepEqual([...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, url]) => new URL(url!).host), ["meadow.example", "meadow.example"]);
    assert.doesNotMatch(text, /https:\/\/evil|a@evil|^Bcc/m);
    assert.match(text, /\{code\} \$&/);
  }
});

test("times are told with their article, minutes in their number, names as a list", () => {
  const at = Date.UTC(2026, 10, 3, 1, 5) / 1000;
  const mail = (language: string, minutes: number) => render("recovery_link", language, examples.brand, { at, minutes, url: "https://mfa.meadow.example/" }).text;
  assert.match(mail("es", 1), /durante un minuto[\s\S]*el 3 de noviembre de 2026 a la 1:05 UTC/);
  assert.match(mail("en", 15), /for 15 minutes[\s\S]*on 3 November 2026 at 1:05 UTC/);
  const ways = (names: string[]) => render("way_removed", "es", examples.brand, { at, type: "sms", name: "+34••••22", ways: names }).text;
  assert.match(ways(["A"]), /Te quedan: A\./);
  assert.match(ways(["A", "B", "C"]), /Te quedan: A, B y C\./);
  assert.doesNotMatch(ways([]), /Te quedan/);
});

// The service renders these, too: src/domain/contact/mail/tests.rs compares what it makes of them byte for byte.
test("what the service is held to is what this reference makes (UPDATE_EMAILS=1 writes it)", () => {
  const file = new URL("../../vectors/emails.json", import.meta.url);
  const { brand, asked } = examples;
  const expected = Object.fromEntries(
    mails.flatMap((name) =>
      languages.flatMap((language) =>
        (["full", "bare"] as const).map((kind) => {
          const about = kind === "full" ? { ...asked, ...examples.mails[name] } : { at: asked.at, ...examples.mails[name] };
          const look = kind === "full" ? brand : { ...brand, colour: "#f5d90a", support: null };
          const { subject, text, html } = render(name, language, look, about);
          return [`${name} ${language} ${kind}`, { subject, text, html_sha256: createHash("sha256").update(html).digest("hex") }];
        }),
      ),
    ),
  );
  if (process.env.UPDATE_EMAILS) writeFileSync(file, `${JSON.stringify(expected, null, 1)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), expected);
});
