// An application of Candado's, for the native program and the Worker alike.
import { freshVariables as withProviders, Problem } from "../harness/repository.mjs";
import { base32, secret, userId } from "../harness/users.mjs";

/** Without providers: no message is sent here. */
export function freshVariables() {
  const { MASTER_KEYS, ADMIN_TOKEN } = withProviders();
  return { ENVIRONMENT: "development", MASTER_KEYS, ADMIN_TOKEN };
}

export const CLIENT = "field";

const VERDICTS = { invalid_code: "wrong", code_already_used: "used", locked: "locked" };

/** What the harness asks of a contender, for this client. */
export const verification = ({ headers }) => ({
  mark: "-",
  request: (n, code) => ({ path: "/mfa/verify", headers, body: JSON.stringify({ user_id: userId(n), code }) }),
  verdict(status, text) {
    const { error } = JSON.parse(text);
    if (status === 200) return "good";
    // It lost to others that changed the same account, and was told to come back: nothing was looked at.
    if (status === 429 && error !== "locked") return "locked";
    return VERDICTS[error] ?? `${status} ${text}`;
  },
});

/** Makes the client and gets a token, which lasts an hour. */
export async function clientOf(origin, adminToken) {
  const settings = { registrations_per_minute: 1_000_000, max_accounts: 1_000_000_000 };
  const made = await post(`${origin}/admin/clients`, { name: "Field", client_id: CLIENT, settings }, adminToken);
  const { access_token: token } = await post(`${origin}/auth`, { client_id: CLIENT, client_secret: made.client_secret });
  return {
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    /** Takes the users over one by one, that many at a time. */
    async importAll(users, parallel) {
      const waiting = [...users].reverse();
      const next = async () => {
        for (let n; (n = waiting.pop()) !== undefined; ) {
          await post(`${origin}/mfa/import`, { user_id: userId(n), secret: base32(secret(n)) }, token);
        }
      };
      await Promise.all(Array.from({ length: parallel }, next));
    },
  };
}

async function post(url, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Problem(`${url} gives ${response.status}: ${text}`);
  return JSON.parse(text);
}
