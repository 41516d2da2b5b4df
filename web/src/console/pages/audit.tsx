// The record of events: newest first, by filters that stand in the address, and as a file.
import { useState } from "preact/hooks";
import { Events, useEventName } from "../events.tsx";
import { ExportDialog } from "../export.tsx";
import { Head } from "../frame.tsx";
import { Button, Empty, Field, Say, Shown } from "../parts.tsx";
import { href } from "../route.ts";
import type { AuditEvents, Client } from "../types.ts";
import { useConsole, useLoad, useSay } from "../ui.ts";

const PAGE = 50;
/** The greatest id there can be: from here on it is newest first. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

const names = ["client", "user", "event", "operator", "from", "to"] as const;
type Name = (typeof names)[number];

/** A local time of a field, `2026-11-30T13:05`, as a Unix time. */
export const secondsOf = (local: string | undefined): number | undefined => {
  const at = local ? Math.floor(new Date(local).getTime() / 1000) : NaN;
  return Number.isSafeInteger(at) && at >= 0 ? at : undefined;
};

export function Audit() {
  const { api, words, route, replace, go } = useConsole();
  const { audit: w } = words;
  const say = useSay();
  const nameOf = useEventName();
  const [exporting, setExporting] = useState(false);
  const { before, ...rest } = route.filters;
  const filters = rest as Partial<Record<Name, string>>;
  const on = names.filter((name) => filters[name]);
  const query = {
    client_id: filters.client,
    user_id: filters.user,
    event: filters.event,
    operator: filters.operator,
    from: secondsOf(filters.from),
    to: secondsOf(filters.to),
  };
  const asked = { ...query, before: before && /^\d{1,16}$/.test(before) ? before : NEWEST, limit: PAGE };
  const page = useLoad(JSON.stringify(asked), (signal) => api.call<AuditEvents>("GET", "/admin/audit", { query: asked, signal }));
  const clients = useLoad("clients", (signal) => api.call<{ clients: Client[] }>("GET", "/admin/clients", { signal }));
  const set = (name: Name) => (value: string) => replace(href(["audit"], { ...filters, [name]: value }));
  const text = (name: Name, label: string, more: object = {}) => <Field label={label} name={name} value={filters[name] ?? ""} onInput={set(name)} {...more} />;
  const known = clients.value?.clients ?? [];
  const ids = filters.client && !known.some(({ client_id }) => client_id === filters.client) ? [{ client_id: filters.client, name: filters.client }, ...known] : known;
  return (
    <>
      <Head
        title={say(words.place.audit)}
        acts={
          <>
            <Button name="reload" onPress={page.reload}>
              <Say of={words.button.reload} />
            </Button>
            <Button name="export" icon="download" onPress={() => setExporting(true)}>
              <Say of={w.export} />
            </Button>
          </>
        }
      />
      <details class="fold" open={!matchMedia("(max-width: 56.24rem)").matches}>
        <summary>
          <Say of={w.filters} />
        </summary>
        <div class="filters">
          {text("client", say(w.client), { options: [["", say(w.allClients)], ...ids.map(({ client_id, name }) => [client_id, `${name} · ${client_id}`] as const)] })}
          {text("user", say(w.user), { kind: "search", more: { "data-search": true } })}
          {text("event", say(w.event), { options: [["", say(w.allEvents)], ...Object.keys(words.event).map((name) => [name, `${nameOf(name)} (${name})`] as const)] })}
          {text("operator", say(w.operator), { kind: "search" })}
          {text("from", say(w.from), { kind: "datetime-local" })}
          {text("to", say(w.to), { kind: "datetime-local" })}
        </div>
      </details>
      {on.length > 0 && (
        <ul class="chips on" aria-label={say(w.filters)}>
          {on.map((name) => (
            <li key={name}>
              <Button kind="quiet" name={`without-${name}`} icon="close" label={say(w.remove, { filter: `${say(w[name])}: ${filters[name]}` })} onPress={() => set(name)("")}>
                {say(w[name])}: <bdi>{filters[name]}</bdi>
              </Button>
            </li>
          ))}
          <li>
            <Button kind="quiet" name="clear" onPress={() => replace(href(["audit"]))}>
              <Say of={words.button.clear} />
            </Button>
          </li>
        </ul>
      )}
      <Shown of={page}>
        {({ events, next }) =>
          events.length === 0 ? (
            <Empty>
              <p>
                <Say of={on.length > 0 ? w.noMatch : w.empty} />
              </p>
            </Empty>
          ) : (
            <>
              <Events events={events} caption={say(words.place.audit)} of="all" />
              <p class="hint">
                <span role="status">
                  <Say of={w.shown} n={events.length} />
                </span>{" "}
                · <Say of={w.utc} />
              </p>
              <div class="paging">
                {before && (
                  <Button name="newest" onPress={() => go(href(["audit"], filters))}>
                    <Say of={words.button.newest} />
                  </Button>
                )}
                {next !== null && (
                  <Button name="older" onPress={() => go(href(["audit"], { ...filters, before: String(next) }))}>
                    <Say of={words.button.older} />
                  </Button>
                )}
              </div>
            </>
          )
        }
      </Shown>
      {exporting && <ExportDialog query={query} onClose={() => setExporting(false)} />}
    </>
  );
}
