// All clients, and a new one.
import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog.tsx";
import { Secret } from "../act.tsx";
import { Head } from "../frame.tsx";
import { Banner, Button, Chip, Code, Empty, Field, Problem, Say, Shown, Table, Text, Tick, When } from "../parts.tsx";
import { href } from "../route.ts";
import type { Client } from "../types.ts";
import { useConsole, useLoad, useSay, useTask, useWords } from "../ui.ts";

export function ClientState({ client }: { client: Client }) {
  const { clients } = useWords();
  return (
    <span class="chips">
      <Chip tone={client.disabled ? "bad" : "good"}>
        <Say of={client.disabled ? clients.off : clients.on} />
      </Chip>
      {client.test && (
        <Chip tone="info">
          <Say of={clients.test} />
        </Chip>
      )}
    </span>
  );
}

const states = ["on", "off", "test"] as const;

export function Clients() {
  const { api, words, route, replace } = useConsole();
  const { clients: w } = words;
  const say = useSay();
  const [making, setMaking] = useState(false);
  const list = useLoad("clients", (signal) => api.call<{ clients: Client[] }>("GET", "/admin/clients", { signal }));
  const { text = "", state = "" } = route.filters;
  const filter = (change: Record<string, string>) => replace(href(["clients"], { ...route.filters, ...change }));
  const fits = (client: Client) => {
    const wanted = text.toLowerCase();
    const named = [client.name, client.client_id].some((name) => name.toLowerCase().includes(wanted));
    return named && (state === "" || (state === "test" ? client.test : client.disabled === (state === "off")));
  };
  return (
    <>
      <Head
        title={say(words.place.clients)}
        acts={
          <>
            <Button name="reload" onPress={list.reload}>
              <Say of={words.button.reload} />
            </Button>
            <Button kind="primary" name="create" onPress={() => setMaking(true)}>
              <Say of={w.create} />
            </Button>
          </>
        }
      />
      <div class="filters">
        <Field label={say(w.filter)} name="text" kind="search" value={text} onInput={(value) => filter({ text: value })} more={{ "data-search": true }} />
        <Field label={say(w.state)} name="state" value={state} onInput={(value) => filter({ state: value })} options={[["", say(w.all)], ...states.map((one) => [one, say(w[one])] as const)]} />
      </div>
      <Shown of={list}>
        {({ clients }) => {
          const rows = clients.filter(fits);
          if (clients.length === 0) {
            return (
              <Empty>
                <p>
                  <Say of={w.empty} />
                </p>
              </Empty>
            );
          }
          if (rows.length === 0) {
            return (
              <Empty>
                <p>
                  <Say of={w.noMatch} />
                </p>
                <Button name="clear" onPress={() => replace(href(["clients"]))}>
                  <Say of={words.button.clear} />
                </Button>
              </Empty>
            );
          }
          return (
            <>
              <Table
                caption={say(words.place.clients)}
                rows={rows}
                id={(client) => client.client_id}
                link={(client) => href(["clients", client.client_id])}
                columns={[
                  { title: say(w.name), cell: (client) => <Text>{client.name}</Text> },
                  { title: say(w.id), cell: (client) => <Code>{client.client_id}</Code> },
                  { title: say(w.state), cell: (client) => <ClientState client={client} /> },
                  { title: say(w.created), cell: (client) => <When at={client.created_at} day /> },
                ]}
              />
              <p class="hint" role="status">
                <Say of={w.count} n={rows.length} />
              </p>
            </>
          );
        }}
      </Shown>
      {making && <Create onClose={() => setMaking(false)} onMade={list.reload} />}
    </>
  );
}

function Create({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const { api, words, go, toast } = useConsole();
  const { clients: w } = words;
  const say = useSay();
  const task = useTask();
  const [name, setName] = useState("");
  const [id, setId] = useState("");
  const [test, setTest] = useState(false);
  const [made, setMade] = useState<Client | null>(null);
  const create = () =>
    task.run(async () => {
      setMade(await api.call<Client>("POST", "/admin/clients", { body: { name: name.trim(), ...(id.trim() && { client_id: id.trim() }), ...(test && { test }) } }));
      onMade();
    });
  if (made) {
    return (
      <Secret
        title={say(w.secretOf, { name: made.name })}
        secret={made.client_secret!}
        onClose={() => {
          onClose();
          toast(say(w.made, { name: made.name }));
          go(href(["clients", made.client_id]));
        }}
      >
        <p>
          <Say of={w.secretUse} id={<Code whole>{made.client_id}</Code>} />
        </p>
      </Secret>
    );
  }
  const { failure } = task;
  const wrong = (field: string) => failure?.field === field && <Problem failure={failure} />;
  return (
    <Dialog title={<Say of={w.create} />} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <p class="hint">
          <Say of={w.lead} />
        </p>
        <Field label={say(w.newName)} name="name" value={name} onInput={setName} hint={<Say of={w.newNameHint} />} error={wrong("name")} more={{ maxLength: 64, "data-safe": true }} />
        <Field label={say(w.newId)} name="client_id" value={id} onInput={setId} hint={<Say of={w.newIdHint} />} error={wrong("client_id")} more={{ maxLength: 64 }} />
        <Tick name="test" label={say(w.newTest)} hint={<Say of={w.newTestHint} />} checked={test} onChange={setTest} />
        {failure && !["name", "client_id"].includes(failure.field ?? "") && (
          <Banner tone="bad">
            <Problem failure={failure} />
          </Banner>
        )}
        <div class="choice">
          <Button name="safe" onPress={onClose}>
            <Say of={words.button.cancel} />
          </Button>
          <Button kind="primary" name="submit" busy={task.busy}>
            <Say of={w.create} />
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
