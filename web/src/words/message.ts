// Messages: whole sentences with named places for values, `{app}`, and forms for numbers. A translator sees plain
// strings; the code that says one is held by the compiler to give exactly the values that stand in it.

/** Forms by `Intl.PluralRules`; which form is chosen is decided by `{n}`. */
export interface Forms {
  one: string;
  other: string;
}

type Places<Text> = Text extends `${string}{${infer Place}}${infer Rest}` ? Place | Places<Rest> : never;

declare const places: unique symbol;

/** A sentence in some language, with the places that it has. */
export type Message<Place extends string = never> = (string | Forms) & { [places]?: Place };

/** The words of any language, derived from the English ones. */
export type WordsLike<Tree> = {
  readonly [Key in keyof Tree]: Tree[Key] extends string
    ? Message<Places<Tree[Key]>>
    : Tree[Key] extends Forms
      ? Message<Places<Tree[Key]["other"]> | "n">
      : WordsLike<Tree[Key]>;
};

/** What a language file has to hold: the same tree, in plain strings. */
export type Translation<Tree> = {
  readonly [Key in keyof Tree]: Tree[Key] extends string ? string : Tree[Key] extends Forms ? Forms : Translation<Tree[Key]>;
};

export type Values<Place extends string, Value = string | number> = { [Key in Place]: Value };

/** The text with the form that the number wants. */
export function formOf(message: string | Forms, values: Record<string, unknown>, locale: string): string {
  if (typeof message === "string") return message;
  const form = new Intl.PluralRules(locale).select(Number(values.n));
  return form === "one" ? message.one : message.other;
}

/** Text and places in turn: even members are text, odd ones the names of places. */
export const pieces = (text: string): string[] => text.split(/\{(\w+)\}/);
