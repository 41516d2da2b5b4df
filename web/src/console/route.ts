// The address after `#`: a page, ids and filters. It reaches no server log, and a link reopens what it shows. Nothing
// secret ever stands in it.

export interface Route {
  /** Decoded: `["users", "shop", "nora-114"]`. */
  path: string[];
  filters: Record<string, string>;
}

export function read(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { path: path.split("/").filter(Boolean).map(decode), filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** A percent sign that encodes nothing is text. */
function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function href(path: string[], filters: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
  return `#/${path.map(encodeURIComponent).join("/")}${query.size > 0 ? `?${query}` : ""}`;
}
