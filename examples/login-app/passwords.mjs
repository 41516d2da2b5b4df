// Passwords: argon2id hashes, and a growing delay after wrong ones.
import { hash, verify } from "@node-rs/argon2";
import { Problem } from "./problems.mjs";

// OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes and one lane. The package's own defaults.
const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password) => hash(password, options);

// Compared with when there is no such user, so that the time does not tell.
const nobody = hashPassword("nobody has this password");

/**
 * Whether the password is right. Throws a Problem while the address has to wait.
 *
 * A try is counted before the password is looked at, and taken back if it was right: of many that arrive at the same
 * moment no more are looked at than of many that arrive one by one.
 */
export async function checkPassword(store, address, user, password) {
  const wait = store.countPasswordTry(address);
  if (wait > 0) throw new Problem("Too many wrong passwords. Please try again in", { status: 429, wait, locked: true });
  const right = await verify(user?.password ?? (await nobody), password);
  if (!right || !user) return false;
  store.forgetPasswordTries(address);
  return true;
}
