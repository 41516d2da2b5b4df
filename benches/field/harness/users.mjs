// The users of the benchmark: user n has the same id, secret and codes for every contender.
import { createHash, createHmac } from "node:crypto";

export const PERIOD = 30;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Of one length, so that all requests of a turn are. */
export const userId = (n) => `user-${String(n).padStart(9, "0")}`;

/** 160 bits (RFC 4226, section 4, R6), drawn from the number alone. `fill.rs` draws the same. */
export const secret = (n) => createHash("sha256").update(`candado field ${n}`).digest().subarray(0, 20);

export function base32(bytes) {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return bits.match(/.{5}/g).map((five) => LETTERS[parseInt(five, 2)]).join("");
}

export const stepAt = (seconds) => Math.floor(seconds / PERIOD);

export const presentStep = () => stepAt(Date.now() / 1000);

/** RFC 6238 with SHA-1, six digits and 30 seconds. */
export function codeOf(n, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", secret(n)).update(counter).digest();
  const offset = digest[19] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Codes that are none of user n's near that step. */
export function wrongCodes(n, step, count) {
  const right = new Set([-2, -1, 0, 1, 2, 3].map((distance) => codeOf(n, step + distance)));
  const codes = [];
  for (let guess = 0; codes.length < count; guess++) {
    const code = String(guess).padStart(6, "0");
    if (!right.has(code)) codes.push(code);
  }
  return codes;
}
