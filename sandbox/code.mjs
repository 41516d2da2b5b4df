// Finds the code in a message, for the inbox page and for tests. Runs in the browser and in Node.

// The last line of an SMS by the domain-bound format: `@example.com #123456`.
const DOMAIN_BOUND = /(?:^|\n)@\S+ #(\S+)[^\n]*\s*$/;
// A number of 6 to 10 digits (no year, no price) that is no part of a longer one, of a phone number or of a word.
const DIGITS = /(?<![\w+.-])\d{6,10}(?![\w-]|\.\d)/;

/** The code of a message as text, or undefined. */
export function findCode({ text, subject }) {
  const inText = DOMAIN_BOUND.exec(text ?? "")?.[1] ?? DIGITS.exec(text ?? "")?.[0];
  return inText ?? DIGITS.exec(subject ?? "")?.[0];
}
