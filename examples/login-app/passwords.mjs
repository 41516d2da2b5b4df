// Passwords: argon2id hashes, and a growing delay after wrong ones.
import { hash, verify } from "@node-rs/argon2";
import { Problem } from "./problems.mjs";

// OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes and one lane. The package's own defaults.
const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password) => hash(password, options);

// Compared with when there is no such user, so that the time does not tell.
const nobody = hashPassword("nobody has this password");

const FREE_TRIES = 5;
const LONGEST_DELAY = 900;
const failures = new Map();

/** Throws a Problem while the address has to wait. In memory: several processes would share a database for it. */
export async function checkPassword(address, user, password) {
  const key = address.toLowerCase();
  const { count = 0, until = 0 } = failures.get(key) ?? {};
  const wait = Math.ceil((until - Date.now()) / 1000);
  if (wait > 0) throw new Problem("Too many wrong passwords. Please try again in", { status: 429, wait, locked: true });
  const right = await verify(user?.password ?? (await nobody), password);
  if (right && user) {
    failures.delete(key);
    return true;
  }
  if (failures.size > 10_000) failures.clear();
  const delay = count + 1 < FREE_TRIES ? 0 : Math.min(30 * 2 ** (count + 1 - FREE_TRIES), LONGEST_DELAY);
  failures.set(key, { count: count + 1, until: Date.now() + delay * 1000 });
  return false;
}
