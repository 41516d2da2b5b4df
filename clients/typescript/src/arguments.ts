// What is wrong with an argument is said at once, in the caller's words, and not by an answer of the service.

/** The text itself, or a TypeError that names the argument. */
export function requireText(name: string, value: unknown, hint = ""): string {
  if (typeof value === "string" && value !== "") return value;
  const found = value === "" ? "empty" : value === null ? "null" : value === undefined ? "undefined" : `a ${typeof value}`;
  throw new TypeError(`${name} must be a string that is not empty, but it is ${found}${hint}`);
}

/** What the user typed: a number has lost its leading zeros, and an empty field is a wrong code. */
export function requireCode(value: unknown): string {
  return value === "" ? value : requireText("code", value, typeof value === "number" ? ": leading zeros count" : "");
}

/** The service's address without a slash at its end. Anybody on the way could read a secret sent by plain http. */
export function requireAddress(value: unknown): string {
  const baseUrl = requireText("baseUrl", value);
  const { protocol, hostname, username, search, hash } = URL.canParse(baseUrl) ? new URL(baseUrl) : noAddress;
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && local)) {
    throw new TypeError(`baseUrl must begin with https://, or with http:// on this machine, but it is ${baseUrl}`);
  }
  if (username || search || hash) throw new TypeError("baseUrl must be an address without user, query and fragment");
  return baseUrl.replace(/\/+$/, "");
}

const noAddress = { protocol: "", hostname: "", username: "", search: "", hash: "" };
