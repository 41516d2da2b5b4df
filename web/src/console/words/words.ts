// The console's languages. Its readers know the API's language, so its words may be used.
import type { WordsLike } from "../../words/message.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";

export type Words = WordsLike<typeof en>;

export const languages = { en, es } as unknown as Record<"en" | "es", Words>;
export type Language = keyof typeof languages;

/** The browser's first language that there is, English if none is. */
export const languageOf = (browser: readonly string[]): Language =>
  browser.map((tag) => tag.toLowerCase().split("-")[0]!).find((name): name is Language => Object.hasOwn(languages, name)) ?? "en";

/** With the region of the browser, if that speaks the language. */
export const tagOf = (language: Language, browser: readonly string[]) => browser.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
