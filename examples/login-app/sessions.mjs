// Who is asking. The cookie holds a random id and its signature; everything else stays on the server.
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";

/**
 * How far a user has come, and for how many seconds that holds:
 * the password was right and the second step is missing; a recovery code was right as well, and a first code of the
 * new authenticator is missing; signed in.
 */
const lifetimes = { password: 600, recovering: 900, "signed-in": 12 * 3600 };

export class Sessions {
  #store;
  #options;

  constructor(store, { secure }) {
    this.#store = store;
    this.#options = { httpOnly: true, sameSite: "Lax", path: "/", secure, prefix: secure ? "host" : undefined };
  }

  /** Middleware: loads session and user, and stores what the handler changed of the session's data. */
  load = async (c, next) => {
    const id = await getSignedCookie(c, this.#store.cookieSecret(), "session", this.#options.prefix);
    const session = id ? this.#store.session(id) : undefined;
    const before = JSON.stringify(session?.data);
    c.set("session", session);
    c.set("user", session && this.#store.user(session.userId));
    await next();
    const after = c.get("session");
    if (after && after === session && JSON.stringify(after.data) !== before) this.#store.saveSession(after);
  };

  /** Replaces the session. Its id is new at each stage, so that an id from before is worth nothing afterwards. */
  async begin(c, userId, stage, data = {}) {
    const old = c.get("session");
    if (old) this.#store.deleteSession(old.id);
    const id = this.#store.addSession(userId, stage, data, lifetimes[stage]);
    await setSignedCookie(c, "session", id, this.#store.cookieSecret(), this.#options);
    const session = { id, userId, stage, data };
    c.set("session", session);
    c.set("user", this.#store.user(userId));
    return session;
  }

  end(c) {
    const session = c.get("session");
    if (session) this.#store.deleteSession(session.id);
    c.set("session", undefined);
    deleteCookie(c, "session", this.#options);
  }
}

const start = { password: "/login/code", recovering: "/app", "signed-in": "/" };

/** Middleware: lets only these stages through; others go to the page where they are to continue. */
export const requireStage = (...stages) => async (c, next) => {
  const stage = c.get("session")?.stage;
  if (stages.includes(stage)) return next();
  return c.redirect(start[stage] ?? "/login", 303);
};
