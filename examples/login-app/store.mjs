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
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  INSERT INTO secrets VALUES ('cookie', '${randomBytes(32).toString("hex")}') ON CONFLICT DO NOTHING;
`;

const now = () => Math.floor(Date.now() / 1000);
// Who reads the file cannot take over a session.
const digest = (id) => createHash("sha256").update(id).digest("hex");

export class Store {
  #db;

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
