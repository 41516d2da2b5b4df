// A client's webhook: where it is told, of what, and what came of it.
import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog.tsx";
import { Act, Secret } from "../act.tsx";
import { at } from "../api.ts";
import { useEventName } from "../events.tsx";
import { Banner, Button, Card, Chip, Code, Empty, Facts, Field, Problem, Say, Shown, Table, Text, Tick, When, type Tone } from "../parts.tsx";
import { type Client, topics, type UnixTime } from "../types.ts";
import { useConsole, useLoad, useSay, useTask } from "../ui.ts";

interface Webhook {
  url: string;
  events: string[];
  /** In the answer that made it, and nowhere else. */
  secret?: string;
  previous_secret_expires_at: UnixTime | null;
}

interface Delivery {
  id: string;
  event: string;
  state: "pending" | "delivered" | "dead";
  created_at: UnixTime;
  attempts: number;
  attempted_at: UnixTime | null;
  next_attempt_at: UnixTime | null;
  delivered_at: UnixTime | null;
  response_status: number | null;
  problem: string | null;
}

interface Deliveries {
  deliveries: Delivery[];
  next: string | null;
}

const tones: Record<Delivery["state"], Tone> = { pending: "warn", delivered: "good", dead: "bad" };

export function WebhookTab({ client }: { client: Client }) {
  const { api, words } = useConsole();
  const { webhook: w } = words;
  const say = useSay();
  const path = at`/admin/clients/${client.client_id}/webhook`;
  // None is no failure.
  const hook = useLoad(path, async (signal) => {
    try {
      return { webhook: await api.call<Webhook>("GET", path, { signal }) };
    } catch (failure) {
      if ((failure as { status: number }).status === 404) return { webhook: null };
      throw failure;
    }
  });
  const [setting, setSetting] = useState(false);
  const [removing, setRemoving] = useState(false);
  const { toast } = useConsole();
  return (
    <>
      <div class="lead">
        <p class="hint">
          <Say of={w.lead} />
        </p>
        <Button kind="primary" name="set" onPress={() => setSetting(true)}>
          <Say of={hook.value?.webhook ? w.change : w.set} />
        </Button>
      </div>
      <Shown of={hook}>
        {({ webhook }) =>
          webhook === null ? (
            <Empty>
              <p>
                <Say of={w.none} />
              </p>
            </Empty>
          ) : (
            <>
              <Card title={<Say of={w.where} />}>
                <Facts
                  of={[
                    [say(w.url), <Text whole>{webhook.url}</Text>],
                    [say(w.events), webhook.events.join(", ")],
                    ...(webhook.previous_secret_expires_at === null ? [] : ([[say(w.previous), <When at={webhook.previous_secret_expires_at} />]] as [string, preact.ComponentChild][])),
                  ]}
                />
                <div class="acts">
                  <Button kind="risky" name="remove" onPress={() => setRemoving(true)}>
                    <Say of={w.remove} />
                  </Button>
                </div>
              </Card>
              <DeliveryList path={path} />
            </>
          )
        }
      </Shown>
      {setting && <SetWebhook path={path} before={hook.value?.webhook ?? null} onClose={() => setSetting(false)} onSet={hook.reload} />}
      {removing && (
        <Act
          title={say(w.removeTitle, { name: client.name })}
          grade="cutting"
          known={say(w.removeKnown)}
          button={say(w.remove).replace("…", "")}
          onClose={() => setRemoving(false)}
          run={async () => {
            await api.call("DELETE", path);
            setRemoving(false);
            hook.reload();
            toast(say(w.removed));
          }}
        >
          <p>
            <Say of={w.removeText} />
          </p>
        </Act>
      )}
    </>
  );
}

function SetWebhook({ path, before, onClose, onSet }: { path: string; before: Webhook | null; onClose: () => void; onSet: () => void }) {
  const { api, words } = useConsole();
  const { webhook: w } = words;
  const say = useSay();
  const nameOf = useEventName();
  const task = useTask();
  const [url, setUrl] = useState(before?.url ?? "");
  const [all, setAll] = useState(before === null);
  const [chosen, setChosen] = useState<string[]>(before?.events ?? []);
  const [secret, setSecret] = useState<string | null>(null);
  if (secret !== null) {
    return (
      <Secret title={say(w.secret)} secret={secret} onClose={onClose}>
        <p>
          <Say of={w.secretUse} />
        </p>
      </Secret>
    );
  }
  const { failure } = task;
  return (
    <Dialog title={<Say of={before ? w.change : w.set} />} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void task.run(async () => {
            const answer = await api.call<Webhook>("PUT", path, { body: { url: url.trim(), ...(!all && { events: chosen }) } });
            onSet();
            setSecret(answer.secret!);
          });
        }}
      >
        {before && (
          <Banner tone="warn">
            <Say of={w.changeText} />
          </Banner>
        )}
        <Field label={say(w.url)} name="url" value={url} onInput={setUrl} hint={<Say of={w.urlHint} />} error={failure?.field === "url" && <Problem failure={failure} />} more={{ "data-safe": true, inputMode: "url" }} />
        <fieldset>
          <legend>
            <Say of={w.events} />
          </legend>
          <Tick name="all" label={say(w.all)} checked={all} onChange={setAll} />
          {!all &&
            topics.map((name) => (
              <Tick
                key={name}
                name={`event-${name}`}
                label={
                  <>
                    {nameOf(name)} <code class="soft">{name}</code>
                  </>
                }
                checked={chosen.includes(name)}
                onChange={(on) => setChosen(on ? [...chosen, name] : chosen.filter((one) => one !== name))}
              />
            ))}
        </fieldset>
        {failure && failure.field !== "url" && (
          <Banner tone="bad">
            <Problem failure={failure} />
          </Banner>
        )}
        <div class="choice">
          <Button name="safe" onPress={onClose}>
            <Say of={words.button.cancel} />
          </Button>
          <Button kind="primary" name="submit" busy={task.busy}>
            <Say of={before ? w.change : w.set} />
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeliveryList({ path }: { path: string }) {
  const { api, words, toast } = useConsole();
  const { webhook: w } = words;
  const say = useSay();
  const nameOf = useEventName();
  const task = useTask();
  const [before, setBefore] = useState<string | null>(null);
  const list = useLoad(`${path} ${before}`, (signal) => api.call<Deliveries>("GET", `${path}/deliveries`, { query: { before, limit: 50 }, signal }));
  const send = (to: string) =>
    task.run(async () => {
      const { state, response_status, problem } = await api.call<Delivery>("POST", to);
      list.reload();
      toast(state === "delivered" ? say(w.arrived) : say(w.notArrived, { reason: problem ?? String(response_status) }));
    });
  return (
    <Card
      title={<Say of={w.deliveries} />}
      acts={
        <Button name="test-event" busy={task.busy} onPress={() => void send(`${path}/test`)}>
          <Say of={w.test} />
        </Button>
      }
    >
      {task.failure && (
        <Banner tone="bad">
          <Problem failure={task.failure} />
        </Banner>
      )}
      <Shown of={list}>
        {({ deliveries, next }) =>
          deliveries.length === 0 ? (
            <p class="hint">
              <Say of={w.nothing} />
            </p>
          ) : (
            <>
              <Table
                caption={say(w.deliveries)}
                rows={deliveries}
                id={({ id }) => id}
                columns={[
                  { title: say(words.audit.time), cell: ({ created_at }) => <When at={created_at} /> },
                  { title: say(words.audit.event), cell: ({ event }) => (event === "test" ? say(w.testEvent) : nameOf(event)) },
                  { title: say(w.state), cell: ({ state }) => <Chip tone={tones[state]}>{say(w.states[state])}</Chip> },
                  { title: say(w.attempts), number: true, cell: ({ attempts }) => String(attempts) },
                  { title: say(w.answer), cell: ({ response_status, problem }) => (problem ? <Text>{problem}</Text> : response_status === null ? "–" : <Code>{String(response_status)}</Code>) },
                  { title: say(w.next), cell: ({ next_attempt_at }) => <When at={next_attempt_at} /> },
                  {
                    title: say(w.again),
                    cell: ({ id }) => (
                      <Button kind="quiet" name={`again-${id}`} busy={task.busy} onPress={() => void send(`${path}/deliveries/${encodeURIComponent(id)}/redeliver`)}>
                        <Say of={w.again} />
                      </Button>
                    ),
                  },
                ]}
              />
              <div class="paging">
                {before !== null && (
                  <Button name="newest" onPress={() => setBefore(null)}>
                    <Say of={words.button.newest} />
                  </Button>
                )}
                {next !== null && (
                  <Button name="older" onPress={() => setBefore(next)}>
                    <Say of={words.button.older} />
                  </Button>
                )}
              </div>
            </>
          )
        }
      </Shown>
    </Card>
  );
}
