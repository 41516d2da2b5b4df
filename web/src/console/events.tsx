// Events of the record, as rows that open.
import { useState } from "preact/hooks";
import { Chip, Code, CopyButton, Facts, Text, When, type Tone } from "./parts.tsx";
import { href } from "./route.ts";
import { seen } from "./text.ts";
import type { AuditEvent } from "./types.ts";
import { useSay, useWords } from "./ui.ts";

/** An event in words; one that this version does not know is its name. */
export function useEventName() {
  const words = useWords();
  const say = useSay();
  return (name: string) => (Object.hasOwn(words.event, name) ? say(words.event[name as keyof typeof words.event]) : seen(name));
}

const toneOf = ({ outcome, event }: AuditEvent): Tone => (outcome === "failure" ? "bad" : event === "verified" || event === "confirmed" ? "good" : "plain");

export function Events({ events, caption, of }: { events: AuditEvent[]; caption: string; of: "all" | "user" }) {
  const { audit: w } = useWords();
  const say = useSay();
  const [open, setOpen] = useState<number | null>(null);
  const titles = [w.time, ...(of === "all" ? [w.client, w.user] : []), w.event, w.way, w.operator].map((title) => say(title));
  return (
    <div class="scroller" tabIndex={0} role="group" aria-label={caption}>
      <table class="events">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {titles.map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
            <th scope="col">
              <span class="hidden">{say(w.detail)}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <Row key={event.id} event={event} titles={titles} of={of} open={open === event.id} onToggle={() => setOpen(open === event.id ? null : event.id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ event, titles, of, open, onToggle }: { event: AuditEvent; titles: string[]; of: "all" | "user"; open: boolean; onToggle: () => void }) {
  const { audit: w } = useWords();
  const say = useSay();
  const nameOf = useEventName();
  const none = <span class="soft">{say(w.none)}</span>;
  const cells = [
    <When at={event.at} />,
    ...(of === "all"
      ? [
          event.client_id === null ? none : <a href={href(["clients", event.client_id])}><Code>{event.client_id}</Code></a>,
          event.user_id === null ? none : event.client_id === null ? <Code>{event.user_id}</Code> : <a href={href(["users", event.client_id, event.user_id])}><Code>{event.user_id}</Code></a>,
        ]
      : []),
    <span class="event">
      <Chip tone={toneOf(event)}>{nameOf(event.event)}</Chip> <code class="soft">{seen(event.event)}</code>
    </span>,
    event.method === null ? none : <Code>{event.method}</Code>,
    event.operator === null ? none : <Text>{event.operator}</Text>,
  ];
  return (
    <>
      <tr data-event={event.event}>
        {cells.map((cell, index) => (
          <td key={titles[index]} data-title={titles[index]}>
            {cell}
          </td>
        ))}
        <td class="toggle">
          <button type="button" class="button quiet" data-row aria-expanded={open} aria-label={say(w.details, { id: event.id })} onClick={onToggle}>
            <span aria-hidden="true">{open ? "▴" : "▾"}</span>
          </button>
        </td>
      </tr>
      {open && (
        <tr class="detail">
          <td colSpan={titles.length + 1}>
            <Facts
              of={[
                [say(w.time), <When at={event.at} />],
                ...(event.user_id === null ? [] : ([[say(w.user), <Code whole>{event.user_id}</Code>]] as [string, preact.ComponentChild][])),
                [say(w.outcome), event.outcome === "failure" ? say(w.failure) : say(w.success)],
                [
                  say(w.request),
                  <span class="copied">
                    <Code whole>{event.request_id}</Code> <CopyButton text={event.request_id} />
                  </span>,
                ],
                ...Object.entries(event.detail).map(([name, value]): [string, preact.ComponentChild] => [seen(name), <Text whole>{typeof value === "string" ? value : JSON.stringify(value)}</Text>]),
              ]}
            />
          </td>
        </tr>
      )}
    </>
  );
}
