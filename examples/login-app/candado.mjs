// Everything this application asks of Candado.

/** What Candado refused, or that it did not answer. `code` is stable; `retryAfter` is in seconds. */
export class CandadoError extends Error {
  constructor(status, { error, message, field, attempts_remaining, retry_after }) {
    super(message);
    this.status = status;
    this.code = error;
    this.field = field;
    this.attemptsRemaining = attempts_remaining;
    this.retryAfter = retry_after;
  }
}

export class Candado {
  #url;
  #credentials;
  #token;

  constructor({ url, clientId, clientSecret }) {
    this.#url = url.replace(/\/$/, "");
    this.#credentials = { client_id: clientId, client_secret: clientSecret };
  }

  status = (userId) => this.#call("GET", `/mfa/status?user_id=${encodeURIComponent(userId)}`);

  register = (userId, { email, accountName }) =>
    this.#call("POST", "/mfa/register", { user_id: userId, email, account_name: accountName });

  renew = (userId, { revokeCurrent }) =>
    this.#call("POST", "/mfa/renew", { user_id: userId, revoke_current: revokeCurrent });

  /** With a `method` a code of any other is refused. */
  verify = (userId, code, method) => this.#call("POST", "/mfa/verify", { user_id: userId, code, method });

  /** `channel` is "sms" or "email". */
  send = (userId, channel) => this.#call("POST", `/mfa/${channel}`, { user_id: userId });

  /** Sends a code that proves the right to bind a new authenticator, and nothing else. */
  recover = (userId, channel) => this.#call("POST", "/mfa/recovery", { user_id: userId, recovery_method: channel });

  recoveryCodes = (userId) => this.#call("POST", "/mfa/recovery-codes", { user_id: userId });

  /** Changes `phone`, `email` or both; null removes one. */
  contact = (userId, destinations) => this.#call("POST", "/mfa/contact", { user_id: userId, ...destinations });

  /** The code is the user's proof: it is checked and the factor removed in one step. */
  disable = (userId, code) => this.#call("POST", "/mfa/disable", { user_id: userId, code });

  /** The QR code as SVG, or null once it was confirmed, replaced or has expired. */
  async qrCode(url) {
    const response = await this.#fetch(url, { headers: { Accept: "image/svg+xml" } });
    if (response.status === 404) return null;
    if (!response.ok) throw await failure(response);
    return response.text();
  }

  async #call(method, path, body) {
    for (const mayRenew of [true, false]) {
      const headers = { Authorization: `Bearer ${await this.#accessToken()}` };
      const response = await this.#fetch(this.#url + path, withJson(body, { method, headers }));
      if (response.ok) return response.json();
      if (response.status !== 401 || !mayRenew) throw await failure(response);
      this.#token = undefined;
    }
  }

  async #accessToken() {
    // Requests that arrive together share one token, and one that is about to expire is not used.
    this.#token ??= this.#authenticate();
    try {
      const token = await this.#token;
      if (token.expiresAt > Date.now() + 60_000) return token.text;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
    this.#token = this.#authenticate();
    return (await this.#token).text;
  }

  async #authenticate() {
    const response = await this.#fetch(`${this.#url}/auth`, withJson(this.#credentials, { method: "POST" }));
    if (!response.ok) throw await failure(response);
    const { access_token, expires_in } = await response.json();
    return { text: access_token, expiresAt: Date.now() + expires_in * 1000 };
  }

  async #fetch(url, options) {
    try {
      return await fetch(url, { ...options, redirect: "error", signal: AbortSignal.timeout(15_000) });
    } catch (cause) {
      const error = new CandadoError(503, { error: "unreachable", message: `${new URL(url).origin} does not answer` });
      error.cause = cause;
      throw error;
    }
  }
}

const withJson = (body, options) =>
  body ? { ...options, headers: { ...options.headers, "Content-Type": "application/json" }, body: JSON.stringify(body) } : options;

async function failure(response) {
  const body = await response.json().catch(() => ({ error: "unreadable", message: `status ${response.status}` }));
  return new CandadoError(response.status, body);
}
