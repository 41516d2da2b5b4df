// Users and sessions, in one SQLite file.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import sqlite from "node-sqlite3-wasm";

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL,
    -- Where codes may go. Candado keeps them too; here is whether the user has shown that they arrive.
    code_phone TEXT, code_phone_confirmed INTEGER NOT NULL DEFAULT 0,
    code_email TEXT, code_email_confirmed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users,
    stage TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  -- Of addresses with an account and without, so that nobody learns which have one.
  CREATE TABLE IF NOT EXISTS password_tries (
    address_digest TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    -- In milliseconds.
    free_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS password_tries_by_age ON password_tries (last_at);
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  INSERT INTO secrets VALUES ('cookie', '${randomBytes(32).toString("hex")}') ON CONFLICT DO NOTHING;
`;

// The fifth wrong password in a row makes its address wait half a minute, each further one twice as long, up to a
// quarter of an hour. One statement counts and refuses, so that tries at the same time cannot miss each other.
const countTry = `
  INSERT INTO password_tries VALUES ($address, 1, 0, $now)
  ON CONFLICT DO UPDATE SET
    count = count + 1,
    free_at = CASE WHEN count < 4 THEN 0 ELSE $now + 1000 * min(30 * (1 << min(count - 4, 5)), 900) END,
    last_at = $now
  WHERE free_at <= $now`;
const tryForgottenAfter = 24 * 3_600_000;

const now = () => Math.floor(Date.now() / 1000);
// Whoever reads the file cannot take over a session, nor learns what was typed as an address.
const digest = (id) => createHash("sha256").update(id).digest("hex");

export class Store {
  #db;
  #triesForgottenAt = 0;

  constructor(path) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new sqlite.Database(path);
    this.#db.exec(schema);
    this.#db.run("DELETE FROM sessions WHERE expires_at < ?", [now()]);
  }

  close = () => this.#db.close();
  cookieSecret = () => this.#db.get("SELECT value FROM secrets WHERE name = 'cookie'").value;

  user = (id) => this.#db.get("SELECT * FROM users WHERE id = ?", [id]);
  userByEmail = (email) => this.#db.get("SELECT * FROM users WHERE email = ?", [email]);

  /** Answers the new user, or null if the address is taken. */
  addUser({ name, email, password }) {
    // Candado knows a user by this id: it says nothing about the person and never changes.
    const id = randomUUID();
    const { changes } = this.#db.run(
      "INSERT INTO users (id, name, email, password) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      [id, name, email, password],
    );
    return changes === 1 ? this.user(id) : null;
  }

  /** `channel` is "sms" or "email". */
  setDestination(userId, channel, destination, confirmed = false) {
    const column = { sms: "code_phone", email: "code_email" }[channel];
    this.#db.run(`UPDATE users SET ${column} = ?, ${column}_confirmed = ? WHERE id = ?`, [destination, Number(confirmed), userId]);
  }

  /** Counts a try at the password of an address. If it is one too many, counts nothing and answers the seconds to wait. */
  countPasswordTry(address) {
    const [key, now] = [digest(address.toLowerCase()), Date.now()];
    this.#forgetOldTries(now);
    const { changes } = this.#db.run(countTry, { $address: key, $now: now });
    if (changes === 1) return 0;
    const { free_at } = this.#db.get("SELECT free_at FROM password_tries WHERE address_digest = ?", [key]);
    return Math.ceil((free_at - now) / 1000);
  }

  /** By age and nothing else: however many addresses are tried, none is forgotten for the sake of the others. */
  #forgetOldTries(now) {
    if (this.#triesForgottenAt > now - 60_000) return;
    this.#triesForgottenAt = now;
    this.#db.run("DELETE FROM password_tries WHERE last_at < ?", [now - tryForgottenAfter]);
  }

  forgetPasswordTries = (address) =>
    this.#db.run("DELETE FROM password_tries WHERE address_digest = ?", [digest(address.toLowerCase())]);

  addSession(userId, stage, data, seconds) {
    const id = randomBytes(32).toString("base64url");
    const values = [digest(id), userId, stage, JSON.stringify(data), now() + seconds];
    this.#db.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", values);
    return id;
  }

  session(id) {
    const row = this.#db.get("SELECT * FROM sessions WHERE digest = ? AND expires_at >= ?", [digest(id), now()]);
    return row && { id, userId: row.user_id, stage: row.stage, data: JSON.parse(row.data) };
  }

  saveSession = ({ id, data }) =>
    this.#db.run("UPDATE sessions SET data = ? WHERE digest = ?", [JSON.stringify(data), digest(id)]);

  deleteSession = (id) => this.#db.run("DELETE FROM sessions WHERE digest = ?", [digest(id)]);

  deleteOtherSessions = (userId, id) =>
    this.#db.run("DELETE FROM sessions WHERE user_id = ? AND digest <> ?", [userId, digest(id)]);
}
