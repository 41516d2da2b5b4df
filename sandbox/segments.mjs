// How many SMS segments a text costs, by 3GPP TS 23.038. Twilio bills per segment and reports the
// count as `num_segments`; SECURITY.md OOB-14 wants one.

const GSM_BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
// These take an escape septet before them.
const GSM_EXTENDED = new Set("\f^{}\\[~]|€");

const GSM = { single: 160, part: 153 };
const UCS2 = { single: 70, part: 67 };

// A part of a long message is shorter by its concatenation header, and neither an escape sequence
// nor a surrogate pair is split over two parts, so the parts are filled one character at a time.
function fill(sizes, limits) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= limits.single) return 1;
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > limits.part) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return parts;
}

/** @returns {{encoding: "GSM-7" | "UCS-2", segments: number}} */
export function segmentsOf(text) {
  const characters = [...text];
  const isGsm = characters.every((c) => GSM_BASIC.has(c) || GSM_EXTENDED.has(c));
  return isGsm
    ? { encoding: "GSM-7", segments: fill(characters.map((c) => (GSM_EXTENDED.has(c) ? 2 : 1)), GSM) }
    : { encoding: "UCS-2", segments: fill(characters.map((c) => c.length), UCS2) };
}
