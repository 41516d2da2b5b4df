// The languages there are, which of them is spoken, and how one sentence is said.
import { en } from "./en.ts";
import { es } from "./es.ts";
import { formOf, pieces, type Message, type Values, type WordsLike } from "./message.ts";

export type Words = WordsLike<typeof en>;

export const languages = { en, es } as unknown as Record<string, Words>;

/** A language and where it is spoken: the tag that `Intl` formats dates and numbers with. */
export interface Speech {
  language: string;
  tag: string;
  words: Words;
}

/** The first of the wished-for languages that there is, English if none is. Its region is the browser's, if that speaks it. */
export function speechOf(wished: (string | null)[], browser: readonly string[]): Speech {
  const known = [...wished, ...browser].map((tag) => tag?.toLowerCase().split("-")[0] ?? "");
  const language = known.find((name) => Object.hasOwn(languages, name)) ?? "en";
  const regional = browser.find((tag) => tag.toLowerCase().split("-")[0] === language && isTag(tag));
  return { language, tag: regional ?? language, words: languages[language] ?? languages.en! };
}

function isTag(tag: string) {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

const CUT = 40;

/** Text that somebody typed, short enough for a sentence. Code points, so that no pair of surrogates is torn. */
export function cut(text: string): string {
  const points = Array.from(text);
  return points.length > CUT ? `${points.slice(0, CUT - 1).join("")}…` : text;
}

// First strong isolate and its end: text of the other direction turns nothing around it.
const isolated = (text: string) => `\u2068${text}\u2069`;

/** A sentence as plain text, for attributes, titles and announcements. What stands in its places is isolated. */
export function plain<Place extends string>(speech: Speech, message: Message<Place>, values: Values<NoInfer<Place>>): string {
  return pieces(formOf(message, values, speech.tag))
    .map((piece, index) => {
      if (index % 2 === 0) return piece;
      const value = values[piece as Place];
      return typeof value === "string" ? isolated(value) : new Intl.NumberFormat(speech.tag).format(value);
    })
    .join("");
}
