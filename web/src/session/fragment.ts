// The address: what stands behind `#`, which no server and no Referer ever sees.
//   #<session id>.<secret>   as the application was given it, until it was exchanged for the cookie
//   #<session id>            afterwards: a reload finds the session again
//   #recover.<secret>, #stop.<secret>   the links of e-mails

export type Entrance =
  | { kind: "open"; sessionId: string; secret: string }
  | { kind: "known"; sessionId: string }
  | { kind: "link"; secret: string }
  | { kind: "nothing" };

const NAME = /^[A-Za-z0-9_-]{16,64}$/;
const SECRET = /^[A-Za-z0-9_-]{22,128}$/;

export function entranceOf(hash: string): Entrance {
  const [name = "", secret, ...rest] = hash.replace(/^#/, "").split(".");
  if (rest.length > 0 || (secret !== undefined && !SECRET.test(secret))) return { kind: "nothing" };
  if (secret !== undefined && (name === "recover" || name === "stop")) return { kind: "link", secret };
  if (!NAME.test(name)) return { kind: "nothing" };
  return secret === undefined ? { kind: "known", sessionId: name } : { kind: "open", sessionId: name, secret };
}

/** Where the page may send the browser: the application's own host, and no scheme that runs something. */
export function isReturn(redirect: string, host: string): boolean {
  if (!URL.canParse(redirect)) return false;
  const { protocol, host: target, hostname, username } = new URL(redirect);
  const local = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  return target === host && username === "" && (protocol === "https:" || (protocol === "http:" && local));
}

/** A link that the operator gave: to a page or a mailbox, nothing that runs. */
export const isLink = (url: string) => URL.canParse(url) && ["https:", "mailto:"].includes(new URL(url).protocol);
