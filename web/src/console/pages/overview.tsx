// Is anything wrong now? Numbers of a period, what to look at, and what stands behind each.
import { useEffect, useState } from "preact/hooks";
import { Bars, Chart } from "../chart.tsx";
import { Head } from "../frame.tsx";
import { Banner, Button, Card, Chip, Empty, Field, Say, Shown, Table, type Tone } from "../parts.tsx";
import { href } from "../route.ts";
import { byClass, columnsOf, type Concern, concernsOf, enrolmentsOf, FEW, guessed, healthOf, localOf, outcomesOf, placesOf, rightOf, shareOf, type Span, spans, type Statistics, waysOf, wrongOf, type Column } from "../statistics.ts";
import type { Client, KeyRing } from "../types.ts";
import { useConsole, useLoad, useSay, useTime } from "../ui.ts";
import { Ring } from "./system.tsx";

/** Milliseconds between two looks. */
const AGAIN = 30_000;
const DAY = 86_400;

export function Overview() {
  const { api, words, route, replace } = useConsole();
  const { overview: w } = words;
  const say = useSay();
  const time = useTime();
  const { client = "", span: asked = "day" } = route.filters;
  const span = (Object.hasOwn(spans, asked) ? asked : "day") as Span;
  const [back, step] = spans[span];
  const [paused, setPaused] = useState(false);
  const clients = useLoad("clients", (signal) => api.call<{ clients: Client[] }>("GET", "/admin/clients", { signal }));
  const read = (from: number, to: number, by: number, signal: AbortSignal) => api.call<Statistics>("GET", "/admin/statistics", { query: { client_id: client, from, to, step: by }, signal });
  const now = useLoad(`now ${client} ${span}`, async (signal) => {
    const at = Math.floor(Date.now() / 1000);
    return { at, statistics: await read(at - back + step, at + 1, step, signal) };
  });
  const usual = useLoad(`usual ${client}`, (signal) => {
    const at = Math.floor(Date.now() / 1000);
    return read(at - 8 * DAY, at - DAY, DAY, signal);
  });
  const ring = useLoad("ring", (signal) => api.call<KeyRing>("GET", "/admin/key-ring", { signal }));
  useEffect(() => {
    if (paused) return;
    const timer = setInterval(() => document.visibilityState === "visible" && now.reload(), AGAIN);
    return () => clearInterval(timer);
  }, [paused, client, span]);
  const filter = (change: Record<string, string>) => replace(href(["overview"], { client, span, ...change }));
  return (
    <>
      <Head
        title={say(words.place.overview)}
        acts={
          <>
            <Button kind="quiet" name="pause" pressed={paused} onPress={() => setPaused(!paused)}>
              <Say of={w.pause} />
            </Button>
            <Button name="reload" onPress={now.reload}>
              <Say of={words.button.reload} />
            </Button>
          </>
        }
      />
      <div class="filters">
        <Field label={say(words.audit.client)} name="client" value={client} onInput={(value) => filter({ client: value })} options={[["", say(words.audit.allClients)], ...(clients.value?.clients ?? []).filter(({ test }) => !test).map((one) => [one.client_id, `${one.name} · ${one.client_id}`] as const)]} />
        <Field label={say(w.span)} name="span" value={span} onInput={(value) => filter({ span: value })} options={(Object.keys(spans) as Span[]).map((one) => [one, say(w.spans[one])] as const)} />
      </div>
      <Shown of={now}>
        {({ at, statistics }) => (
          <>
            <p class="hint">
              <Say of={w.updated} time={<>{time.exact(at)}</>} /> <Say of={w.tests} />
            </p>
            {!statistics.complete && (
              <Banner tone="info">
                <Say of={w.incomplete} />
              </Banner>
            )}
            <Figures {...{ statistics, client, at }} concerns={concernsOf(statistics, usual.value, missingOf(ring.value))} />
          </>
        )}
      </Shown>
      <Card title={<Say of={words.system.ring} />}>
        <Shown of={ring}>{(value) => <Ring ring={value} />}</Shown>
      </Card>
    </>
  );
}

const missingOf = (ring: KeyRing | null) => (ring?.keys ?? []).filter(({ role }) => role === "missing").reduce((all, { accounts }) => all + accounts, 0);

function Figures({ statistics, client, at, concerns }: { statistics: Statistics; client: string; at: number; concerns: Concern[] }) {
  const { words, tag } = useConsole();
  const { overview: w } = words;
  const say = useSay();
  const number = new Intl.NumberFormat(tag);
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
  const { total, locked } = statistics;
  const [rights, wrongs] = [rightOf(total), wrongOf(total)];
  const share = shareOf(rights, wrongs);
  const closed = Object.values(locked).reduce((all, one) => all + one, 0);
  const most = matchMedia("(max-width: 40rem)").matches ? 24 : 170;
  const columns = (valuesOf: Parameters<typeof columnsOf>[1]) => columnsOf(statistics, valuesOf, at, most);
  const link = (event?: string) => (column: Column) => href(["audit"], { client, event, from: localOf(column.from), to: localOf(column.to) });
  const shares = columns(byClass).map((column) => ({ ...column, values: guessed.map((_, place) => shareOf(column.values[2 * place]!, column.values[2 * place + 1]!, FEW) ?? NaN) }));
  const ways = waysOf(total);
  const places = placesOf(total);
  const few = statistics.buckets.length === 0;
  return (
    <>
      <ul class="tiles">
        {[
          [number.format(rights), say(w.confirmed)],
          [share === null ? "–" : percent.format(share), say(w.right)],
          [number.format(closed), say(w.closed)],
          [number.format(statistics.users), say(w.users)],
          [number.format(concerns.length), say(w.look)],
        ].map(([value, title]) => (
          <li key={title} class="card">
            <strong>{value}</strong>
            <span>{title}</span>
          </li>
        ))}
      </ul>
      <Card title={<Say of={w.look} />}>
        <Concerns concerns={concerns} client={client} />
      </Card>
      {few ? (
        <Empty>
          <p>
            <Say of={w.empty} />
          </p>
        </Empty>
      ) : (
        <>
          <div class="card">
            <Chart
              title={say(w.outcomes)}
              summary={say(w.outcomesTold, { right: number.format(rights), wrong: number.format(wrongs) })}
              form="stacked"
              series={[
                { title: say(w.outcome.right), colour: 1 },
                { title: say(w.outcome.wrong), colour: 2 },
                { title: say(w.outcome.closed), colour: 3 },
                { title: say(w.outcome.other), colour: 5 },
              ]}
              columns={columns(outcomesOf)}
              link={link()}
            />
          </div>
          <div class="cards two">
            <div class="card">
              <Chart title={say(w.shares)} summary={say(w.sharesTold, { n: FEW })} form="share" series={guessed.map((name, place) => ({ title: say(words.user.class[name]), colour: [1, 4, 6][place]! }))} columns={shares} link={link("failed")} />
            </div>
            <div class="card">
              <Chart
                title={say(w.enrolments)}
                summary={say(w.enrolmentsTold, { begun: number.format(total.enrolments.begun), finished: number.format(total.enrolments.finished) })}
                form="beside"
                series={[
                  { title: say(w.begun), colour: 4 },
                  { title: say(w.finished), colour: 1 },
                ]}
                columns={columns(enrolmentsOf)}
                link={link("enrolled")}
              />
            </div>
            <Card title={<Say of={w.ways} />}>
              {ways.length === 0 ? <p class="hint">{say(w.none)}</p> : <Bars rows={ways.map(({ name, count }) => ({ name, part: count / ways[0]!.count, told: `${number.format(count)} · ${percent.format(count / rights)}` }))} />}
            </Card>
            <Card title={<Say of={w.countries} />}>
              <p class="hint">
                <Say of={w.countriesTold} n={FEW} />
              </p>
              {places.length === 0 ? (
                <p class="hint">{say(w.none)}</p>
              ) : (
                <Bars rows={places.map(({ country, sent, used, share: part }) => ({ name: country, part: part ?? 0, told: part === null ? say(w.tooFew, { n: sent }) : say(w.countryUsed, { share: percent.format(part), used: number.format(used), sent: number.format(sent) }) }))} />
              )}
            </Card>
          </div>
          <Card title={<Say of={w.delivery} />}>
            <Delivery statistics={statistics} />
          </Card>
        </>
      )}
    </>
  );
}

function Delivery({ statistics }: { statistics: Statistics }) {
  const { words, tag } = useConsole();
  const { overview: w } = words;
  const say = useSay();
  const calls = statistics.total.provider_calls;
  const number = new Intl.NumberFormat(tag);
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
  const tones: Record<string, Tone> = { good: "good", watch: "warn", bad: "bad", none: "plain" };
  if (calls.length === 0) return <p class="hint">{say(w.noCalls)}</p>;
  return (
    <Table
      caption={say(w.delivery)}
      rows={calls}
      id={({ provider }) => provider}
      columns={[
        { title: say(w.provider), cell: ({ provider }) => provider },
        { title: say(w.health), cell: ({ count, failures }) => <Chip tone={tones[healthOf(count, failures)]!}>{say(w.healths[healthOf(count, failures)])}</Chip> },
        { title: say(w.calls), number: true, cell: ({ count }) => number.format(count) },
        { title: say(w.failures), number: true, cell: ({ count, failures }) => (count === 0 ? "–" : percent.format(failures / count)) },
        { title: "p50", number: true, cell: ({ p50_ms }) => `${number.format(p50_ms)} ms` },
        { title: "p95", number: true, cell: ({ p95_ms }) => `${number.format(p95_ms)} ms` },
      ]}
    />
  );
}

function Concerns({ concerns, client }: { concerns: Concern[]; client: string }) {
  const { words, tag } = useConsole();
  const { overview: w } = words;
  const say = useSay();
  const percent = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
  const told = (one: Concern): [text: string, address: string] => {
    switch (one.kind) {
      case "country":
        return [say(w.concern.country, { country: one.country, share: percent.format(one.share), usual: percent.format(one.usual) }), href(["audit"], { client, event: "code_sent" })];
      case "provider":
        return [say(w.concern.provider, { provider: one.provider, share: percent.format(one.share) }), href(["audit"], { client, event: "delivery_failed" })];
      case "locks":
        return [say(w.concern.locks, { n: one.count, usual: one.usual }), href(["audit"], { client, event: "locked" })];
      case "missing":
        return [say(words.system.missing, { n: one.accounts }), href(["audit"], { event: "crypt_decrypt_fail" })];
    }
  };
  return (
    <>
      {concerns.length === 0 ? (
        <p>
          <Say of={w.fine} />
        </p>
      ) : (
        <ul class="concerns">
          {concerns.map(told).map(([text, address]) => (
            <li key={text}>
              <a href={address}>{text}</a>
            </li>
          ))}
        </ul>
      )}
      <p class="hint">
        <Say of={w.rules} />
      </p>
    </>
  );
}
