// One client: what it is, its settings, its keys, and what ends it.
import { useState } from "preact/hooks";
import { Act, Secret } from "../act.tsx";
import { at } from "../api.ts";
import { Head } from "../frame.tsx";
import { Button, Card, Code, Facts, Field, Say, Shown, Text, When } from "../parts.tsx";
import { href } from "../route.ts";
import type { Client, UserList } from "../types.ts";
import { useConsole, useLoad, useSay, useTime, type Loaded } from "../ui.ts";
import { ClientState } from "./clients.tsx";
import { Keys } from "./keys.tsx";
import { SettingsTab } from "./settings.tsx";
import { WebhookTab } from "./webhook.tsx";

export const tabs = ["summary", "settings", "keys", "webhook"] as const;
export type Tab = (typeof tabs)[number];

export function ClientPage({ id, tab }: { id: string; tab: Tab }) {
  const { api, words } = useConsole();
  const say = useSay();
  const client = useLoad(`client ${id}`, (signal) => api.call<Client>("GET", at`/admin/clients/${id}`, { signal }));
  return (
    <>
      <Head
        title={client.value?.name ?? id}
        crumbs={[{ title: say(words.place.clients), href: href(["clients"]) }]}
        chips={client.value && <ClientState client={client.value} />}
        acts={
          <Button name="reload" onPress={client.reload}>
            <Say of={words.button.reload} />
          </Button>
        }
      />
      <nav class="tabs" aria-label={id}>
        {tabs.map((one) => (
          <a key={one} href={href(one === "summary" ? ["clients", id] : ["clients", id, one])} aria-current={one === tab ? "page" : undefined}>
            <Say of={words.client[one]} />
          </a>
        ))}
      </nav>
      <Shown of={client}>
        {(value) => (tab === "summary" ? <Summary client={value} loaded={client} /> : tab === "settings" ? <SettingsTab client={value} onSaved={client.reload} /> : tab === "keys" ? <Keys client={value} /> : <WebhookTab client={value} />)}
      </Shown>
    </>
  );
}

function Summary({ client, loaded }: { client: Client; loaded: Loaded<Client> }) {
  const { words } = useConsole();
  const { client: w, clients } = words;
  const say = useSay();
  const [acting, setActing] = useState<"rotate" | "turn" | "delete" | null>(null);
  const { methods, return_urls, sms_countries, support_url } = client.settings as unknown as { methods: string[] | null; return_urls: string[] | null; sms_countries: string[] | null; support_url: string | null };
  const missing = [!return_urls && w.noReturn, !sms_countries && !client.test && w.noCountries, !support_url && w.noSupport].filter((one) => one !== false);
  const close = () => setActing(null);
  return (
    <div class="cards">
      <Card title={<Say of={w.summary} />}>
        <Facts
          of={[
            [say(clients.id), <Code whole>{client.client_id}</Code>],
            [say(clients.name), <Text whole>{client.name}</Text>],
            [say(clients.created), <When at={client.created_at} />],
            [say(w.ways), methods ? methods.join(", ") : say(w.allWays)],
          ]}
        />
        <ul class="links">
          <li>
            <a href={href(["users"], { client: client.client_id })}>
              <Say of={w.users} />
            </a>
          </li>
          <li>
            <a href={href(["audit"], { client: client.client_id })}>
              <Say of={w.events} />
            </a>
          </li>
        </ul>
      </Card>
      <Card title={<Say of={w.next} />}>
        {missing.length === 0 ? (
          <p>
            <Say of={w.complete} />
          </p>
        ) : (
          <ul class="list">
            {missing.map((one) => (
              <li key={one as string}>
                <Say of={one} />
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card title={<Say of={w.acts} />}>
        <div class="acts left">
          <Button name="rotate" onPress={() => setActing("rotate")}>
            <Say of={w.rotate} />
          </Button>
          <Button name="turn" onPress={() => setActing("turn")}>
            <Say of={client.disabled ? w.enable : w.disable} />
          </Button>
          <Button kind="risky" name="delete" onPress={() => setActing("delete")}>
            <Say of={w.delete} />
          </Button>
        </div>
      </Card>
      {acting === "rotate" && <Rotate client={client} onClose={close} />}
      {acting === "turn" && <Turn client={client} onClose={close} onDone={loaded.reload} />}
      {acting === "delete" && <Delete client={client} onClose={close} />}
    </div>
  );
}

const overlaps = { none: 0, hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000 } as const;
type Overlap = keyof typeof overlaps;

function Rotate({ client, onClose }: { client: Client; onClose: () => void }) {
  const { api, words, toast } = useConsole();
  const { client: w, clients } = words;
  const say = useSay();
  const time = useTime();
  const [overlap, setOverlap] = useState<Overlap>("day");
  const [secret, setSecret] = useState<string | null>(null);
  const seconds = overlaps[overlap];
  if (secret !== null) {
    return (
      <Secret title={say(clients.secretOf, { name: client.name })} secret={secret} onClose={onClose}>
        <p>
          <Say of={clients.secretUse} id={<Code whole>{client.client_id}</Code>} />
        </p>
      </Secret>
    );
  }
  return (
    <Act
      title={say(w.rotateTitle, { name: client.name })}
      grade="cutting"
      known={say(w.rotateKnown)}
      button={say(w.rotate).replace("…", "")}
      onClose={() => secret === null && onClose()}
      run={async () => {
        const answer = await api.call<Client>("POST", at`/admin/clients/${client.client_id}/rotate-secret`, { body: { overlap_seconds: seconds } });
        setSecret(answer.client_secret!);
        toast(say(w.rotated, { name: client.name }));
      }}
    >
      <p>
        <Say of={w.rotateText} />
      </p>
      <Field label={say(w.overlap)} name="overlap" value={overlap} onInput={(value) => setOverlap(value as Overlap)} options={(Object.keys(overlaps) as Overlap[]).map((one) => [one, say(w.overlaps[one])] as const)} />
      <p>{seconds === 0 ? <Say of={w.rotateNow} /> : <Say of={w.rotateEnds} time={time.exact(Date.now() / 1000 + seconds)} />}</p>
    </Act>
  );
}

const MANY = 1_000;

/** How many users an act is about, as far as one page can tell. */
function useReach(client: Client) {
  const { api } = useConsole();
  const reach = useLoad(`reach ${client.client_id}`, (signal) => api.call<UserList>("GET", "/admin/users", { query: { client_id: client.client_id, limit: MANY }, signal }));
  return { reach, count: (list: UserList) => ({ n: list.users.length, more: list.next !== null }) };
}

function Turn({ client, onClose, onDone }: { client: Client; onClose: () => void; onDone: () => void }) {
  const { api, words, toast } = useConsole();
  const { client: w } = words;
  const say = useSay();
  const { reach, count } = useReach(client);
  const off = !client.disabled;
  return (
    <Act
      title={say(off ? w.disableTitle : w.enableTitle, { name: client.name })}
      grade="reversible"
      button={say(off ? w.disable : w.enable).replace("…", "")}
      onClose={onClose}
      run={async () => {
        await api.call("PATCH", at`/admin/clients/${client.client_id}`, { body: { disabled: off } });
        onClose();
        onDone();
        toast(say(off ? w.disabled : w.enabled, { name: client.name }));
      }}
    >
      <p>
        <Say of={off ? w.disableText : w.enableText} />
      </p>
      {off && (
        <Shown of={reach}>
          {(list) => {
            const { n, more } = count(list);
            return <p>{more ? <Say of={w.reachMany} n={n} /> : <Say of={w.reach} n={n} />}</p>;
          }}
        </Shown>
      )}
    </Act>
  );
}

function Delete({ client, onClose }: { client: Client; onClose: () => void }) {
  const { api, words, toast, go } = useConsole();
  const { client: w } = words;
  const say = useSay();
  const { reach, count } = useReach(client);
  return (
    <Act
      title={say(w.deleteTitle, { name: client.name })}
      grade="final"
      typed={client.client_id}
      button={<Say of={w.deleteButton} id={client.client_id} />}
      onClose={onClose}
      run={async () => {
        await api.call("DELETE", at`/admin/clients/${client.client_id}`);
        onClose();
        toast(say(w.deleted, { name: client.name }));
        go(href(["clients"]));
      }}
    >
      <p>
        <Say of={w.deleteText} />
      </p>
      <Shown of={reach}>
        {(list) => {
          const { n, more } = count(list);
          return (
            <p>
              <strong>{more ? <Say of={w.deleteMany} n={n} /> : <Say of={w.deleteUsers} n={n} />}</strong>
            </p>
          );
        }}
      </Shown>
    </Act>
  );
}
