// What the filters show, as a file: page after page, as the service writes it, so that no cell is a formula.
import type { Api, Query } from "./api.ts";

export const formats = { csv: "text/csv", jsonl: "application/x-ndjson" } as const;
export type Format = keyof typeof formats;

/** A page of the service's. */
const ROWS = 1_000;
/** Characters that a page of this console holds at most. */
const MOST = 50_000_000;

/** Every page in turn. The head of a CSV stands in the first one only. Null if it is more than can be held. */
export async function collect(api: Api, query: Query, format: Format, signal: AbortSignal, onRows: (rows: number) => void, most = MOST): Promise<{ parts: string[]; rows: number } | null> {
  const parts: string[] = [];
  let [rows, size] = [0, 0];
  let next: string | null = null;
  do {
    const page: { body: string; next: string | null } =
      next === null
        ? await api.text("GET", "/admin/audit", { query: { ...query, format, limit: ROWS, before: Number.MAX_SAFE_INTEGER }, signal })
        : await api.text("GET", next, { signal });
    const ending = format === "csv" ? "\r\n" : "\n";
    const head = format === "csv" ? page.body.indexOf(ending) + ending.length : 0;
    const body = page.body.slice(head);
    if (rows === 0 && head > 0) parts.push(page.body.slice(0, head));
    // An id, a name and a detail hold no line's end: JSON writes it as two characters.
    rows += body.split(ending).length - 1;
    size += body.length;
    if (size > most) return null;
    parts.push(body);
    next = page.next;
    onRows(rows);
  } while (next !== null);
  return { parts, rows };
}

/** The command line that writes the same to a file. Nothing of a filter is more than a word of it. */
export function commandFor(query: Query, format: Format): string {
  const quoted = (value: string | number) => `'${String(value).replaceAll("'", `'\\''`)}'`;
  const options = { client_id: "--client", user_id: "--user", event: "--event", operator: "--operator", from: "--from", to: "--to" };
  const given = Object.entries(options).flatMap(([name, option]) => (query[name] ? [`${option}=${quoted(query[name])}`] : []));
  return ["candado audit", ...given, format === "csv" ? "--all --format csv" : "--all --format jsonl", `> audit.${format}`].join(" ");
}
