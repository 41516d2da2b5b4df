// What somebody typed as a code. Pure.

/** Spaces and dashes of every kind stand between the digits that people copy; full-width digits are digits. */
export const bare = (typed: string) => typed.normalize("NFKC").replace(/[\s\p{Pd}]/gu, "");

/** Null if it can be sent; else how many digits there are in it. */
export function countWrong(typed: string, lengths: number[]): number | null {
  const code = bare(typed);
  const digits = code.replace(/\D/g, "").length;
  return digits === code.length && lengths.includes(digits) ? null : digits;
}
