// Secrets on their way to the screen, by session: the secret of a new authenticator app, new recovery codes. They are
// in memory only, and gone after ten minutes.

const lifetime = 600_000;

export class OnScreen {
  #shown = new Map();

  /** `until`, in milliseconds, if it is not to be shown for ten minutes. */
  put(c, kind, value, until = Date.now() + lifetime) {
    this.#shown.set(key(c, kind), { value, until });
  }

  get(c, kind) {
    for (const [key, { until }] of this.#shown) if (until < Date.now()) this.#shown.delete(key);
    return this.#shown.get(key(c, kind))?.value;
  }

  forget(c, kind) {
    this.#shown.delete(key(c, kind));
  }
}

const key = (c, kind) => `${kind} ${c.var.session.id}`;
