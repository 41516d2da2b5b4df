// Text of others, made fit to be looked at. What cannot be seen, or turns what is around it, shows as its number.

const CUT = 40;

/** Control, format and separator characters, lone surrogates and private ones, but for the space. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

export const seen = (text: string) => text.replace(UNSEEN, (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`);

/** Short enough for a row. Code points, so that no pair of surrogates is torn. */
export function short(text: string): string {
  const points = Array.from(seen(text));
  return points.length > CUT ? `${points.slice(0, CUT - 1).join("")}…` : points.join("");
}

/** Letters, digits, dots, dashes: what no file system takes for something else. */
export const fileName = (...parts: (string | undefined)[]) =>
  parts
    .filter(Boolean)
    .map((part) => part!.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60))
    .join("-")
    .replace(/^[-.]+/, "");
