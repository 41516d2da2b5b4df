// The e-mails as the service renders them: emails/README.md has the rules, of which this is the reference.
import { readFileSync } from "node:fs";
import { contrast } from "../../src/look/colour.ts";

const read = (name: string) => readFileSync(new URL(`../../emails/${name}`, import.meta.url), "utf8");

type Line = string | string[];
export type Block = { text: Line } | { note: Line } | { code: string } | { button: string; url: string } | { link: string; url: string };

export interface Mail {
  subject: string;
  preview: string;
  title: string;
  blocks: Block[];
}

export interface Words {
  language: string;
  date: string;
  months: string[];
  time: { one: string; other: string };
  minutes: { one: string; other: string };
  and: string;
  way: Record<string, string>;
  foot: string[];
  mails: Record<string, Mail>;
}

export interface Brand {
  app: string;
  colour: string | null;
  support: string | null;
}

/** What a mail is about, before it is put into words. Times are seconds since 1970. */
export interface About {
  at: number;
  browser?: string;
  opens_at?: number;
  minutes?: number;
  code?: string;
  url?: string;
  stop_url?: string;
  destination?: string;
  type?: string;
  name?: string;
  ways?: string[];
}

export interface Rendered {
  subject: string;
  html: string;
  text: string;
}

export const languages = ["en", "es"];
export const wordsOf = (language: string) => JSON.parse(read(`${language}.json`)) as Words;
export const examples = JSON.parse(read("examples.json")) as { brand: Brand; asked: { at: number; browser: string }; mails: Record<string, Omit<About, "at">> };

const PLACE = /\{(\w+)\}/g;

/** A value and whether a person chose it: then no program may make a link of it, and it keeps its direction to itself. */
interface Value {
  text: string;
  chosen?: boolean;
}

type Values = Record<string, Value>;

const fill = (template: string, values: Record<string, string>) => template.replace(PLACE, (_, name: string) => values[name]!);

/** The first of the sentences for which there is everything. */
function sentence(line: Line, values: Values): string | null {
  const lines = typeof line === "string" ? [line] : line;
  return lines.find((one) => [...one.matchAll(PLACE)].every(([, name]) => values[name!] !== undefined)) ?? null;
}

/** Of values, and of our own sentences, since a translation may hold a quotation mark. */
const escape = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
/** What would end a line begins no header and no line of somebody else's. */
const oneLine = (text: string) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
/** U+200C, which is not seen, after what mail programs know an address by. */
const inert = (text: string) => text.replace(/[.:/@]/g, "$&\u200c");

const asHtml = ({ text, chosen }: Value) => (chosen ? `<bdi>${escape(inert(oneLine(text)))}</bdi>` : escape(oneLine(text)));
const asText = ({ text, chosen }: Value) => (chosen ? inert(oneLine(text)) : oneLine(text));

const each = (values: Values, render: (value: Value, name: string) => string) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, render(value, name)]));

export function render(name: string, language: string, brand: Brand, about: About): Rendered {
  const words = wordsOf(language);
  const mail = words.mails[name]!;
  const values = valuesOf(words, brand, about);
  const parts = mail.blocks.flatMap((block) => {
    const [kind, line] = Object.entries(block)[0] as [string, Line];
    const chosen = sentence(line, values);
    return chosen === null ? [] : [{ kind, line: chosen, url: "url" in block ? block.url : null }];
  });
  const subject = fill(mail.subject, each(values, ({ text }) => oneLine(text)));
  const foot = words.foot.filter((line) => sentence(line, values) !== null);
  return { subject, html: html(), text: text() };

  function html(): string {
    const colours = colourOf(brand.colour);
    const plain = each(values, asHtml);
    const linked = { ...plain, ...(brand.support && { support: piece("inline-link", { url: escape(brand.support), shown: escape(shownOf(brand.support)) }) }) };
    const block = (kind: string, line: string, url: string | null) => piece(kind, { ...colours, ...plain, ...(url && { url: fill(url, plain) }) }, fill(escape(line), linked));
    // What is inserted is rendered already: it goes in by a function, so that no `$` in it means anything.
    const inner = { ...plain, ...colours, language, subject: escape(subject), preview: fill(escape(mail.preview), plain), title: fill(escape(mail.title), plain) };
    const whole: Record<string, string> = { blocks: parts.map(({ kind, line, url }) => block(kind, line, url)).join(""), foot: foot.map((line) => block("foot", line, null)).join("") };
    return read("layout.html").replace(/\{\{(\w+)\}\}|\{(\w+)\}/g, (_, slot: string | undefined, place: string) => (slot ? whole[slot]! : inner[place as keyof typeof inner]!));
  }

  function text(): string {
    const plain = each(values, asText);
    const bare = { ...plain, ...(brand.support && { support: `\n${shownOf(brand.support)}` }) };
    const block = ({ kind, line, url }: (typeof parts)[number]) => (url ? `${line}:\n${fill(url, plain)}` : kind === "code" ? fill(line, plain) : fill(line, bare));
    const slots: Record<string, string> = { app: plain.app!, title: fill(mail.title, plain), blocks: parts.map(block).join("\n\n"), foot: foot.map((line) => fill(line, bare)).join("\n") };
    return read("layout.txt").replace(/\{\{?(\w+)\}?\}/g, (_, slot: string) => slots[slot]!).replace(/ +\n/g, "\n");
  }
}

const piece = (kind: string, values: Record<string, string>, text = "") =>
  read(`blocks/${kind}.html`).trimEnd().replace(/\{\{text\}\}|\{(\w+)\}/g, (_, place: string | undefined) => (place ? values[place]! : text));

const shownOf = (support: string) => support.replace(/^mailto:/, "");

function valuesOf(words: Words, brand: Brand, about: About): Values {
  const values: Values = { app: { text: brand.app }, initial: { text: Array.from(brand.app)[0]!.toUpperCase() } };
  const put = (name: string, text: string | undefined, chosen = false) => text !== undefined && (values[name] = { text, chosen });
  const moment = (at: number) => {
    const when = new Date(at * 1000);
    const hour = String(when.getUTCHours());
    const minute = String(when.getUTCMinutes()).padStart(2, "0");
    const date = fill(words.date, { day: String(when.getUTCDate()), month: words.months[when.getUTCMonth()]!, year: String(when.getUTCFullYear()) });
    return { date, time: fill(words.time[hour === "1" ? "one" : "other"], { hour, minute }) };
  };
  const asked = moment(about.at);
  put("date", asked.date);
  put("time", asked.time);
  if (about.opens_at !== undefined) {
    const opens = moment(about.opens_at);
    put("opens_date", opens.date);
    put("opens_time", opens.time);
  }
  if (about.minutes !== undefined) put("minutes", fill(words.minutes[about.minutes === 1 ? "one" : "other"], { n: String(about.minutes) }));
  for (const name of ["code", "url", "stop_url", "destination"] as const) put(name, about[name]);
  put("browser", about.browser, true);
  put("name", about.name, true);
  if (about.type !== undefined) put("way", fill(words.way[about.type]!, { name: about.name! }), true);
  if (about.ways && about.ways.length > 0) put("ways", listOf(words, about.ways), true);
  if (brand.support) put("support", brand.support);
  return values;
}

function listOf({ and }: Words, names: string[]): string {
  if (names.length === 1) return names[0]!;
  return fill(and, { before: names.slice(0, -1).join(", "), last: names.at(-1)! });
}

/** Of `#rrggbb`: the fill, black or white on it, and a border where the fill would be lost on the card of either theme. */
function colourOf(colour: string | null) {
  const accent = colour && /^#[0-9a-f]{6}$/i.test(colour) ? colour : "#0f766e";
  const on_accent = contrast(accent, "#000000") > contrast(accent, "#ffffff") ? "#000000" : "#ffffff";
  const lost = contrast(accent, "#ffffff") < 3 || contrast(accent, "#171d25") < 3;
  return { accent, on_accent, accent_edge: lost ? "#76828f" : accent };
}
