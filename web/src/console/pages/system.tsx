// Whether the service can work, and under which keys it keeps what it stores.
import { Head } from "../frame.tsx";
import { Banner, Button, Card, Chip, Code, Facts, Say, Shown, Table, Text } from "../parts.tsx";
import { href } from "../route.ts";
import type { Health, KeyRing } from "../types.ts";
import { useConsole, useLoad, useSay } from "../ui.ts";

export function System() {
  const { api, words } = useConsole();
  const { system: w } = words;
  const say = useSay();
  const health = useLoad("health", (signal) => api.call<Health>("GET", "/health", { signal }));
  const ring = useLoad("ring", (signal) => api.call<KeyRing>("GET", "/admin/key-ring", { signal }));
  const reload = () => (health.reload(), ring.reload());
  // A refusal is an answer: it says that it cannot work. Silence says nothing.
  const state = health.value && !health.failure ? "good" : health.failure?.status === 503 ? "bad" : "unknown";
  const tone = { good: "good", bad: "bad", unknown: "warn" } as const;
  return (
    <>
      <Head
        title={say(words.place.system)}
        acts={
          <Button name="reload" onPress={reload}>
            <Say of={words.button.reload} />
          </Button>
        }
      />
      <div class="cards two">
        <Card title={<Say of={w.service} />}>
          <Facts
            of={[
              [say(w.health), <Chip tone={tone[state]}>{say(w[state])}</Chip>],
              [say(w.database), <Chip tone={tone[state]}>{say(w[state])}</Chip>],
              [say(w.version), health.value ? <Code>{health.value.version}</Code> : say(w.unknown)],
              [say(w.host), <Text whole>{location.origin}</Text>],
            ]}
          />
          <p class="hint">
            <Say of={state === "bad" ? w.unhealthy : w.healthText} />
          </p>
        </Card>
        <Card title={<Say of={w.ring} />}>
          <Shown of={ring}>{(value) => <Ring ring={value} />}</Shown>
        </Card>
        <Card title={<Say of={w.links} />}>
          <ul class="links">
            <li>
              <a href={href(["audit"], { event: "crypt_decrypt_fail" })}>
                <Say of={w.unreadable} />
              </a>
            </li>
            <li>
              <a href="/docs" target="_blank" rel="noopener noreferrer">
                <Say of={w.reference} />
              </a>
            </li>
            <li>
              <a href="/docs/monitoring" target="_blank" rel="noopener noreferrer">
                <Say of={w.operations} />
              </a>
            </li>
          </ul>
        </Card>
      </div>
    </>
  );
}

export function Ring({ ring }: { ring: KeyRing }) {
  const { words } = useConsole();
  const { system: w } = words;
  const say = useSay();
  const key = ring.keys.find(({ role }) => role === "current")?.id ?? "–";
  const missing = ring.keys.filter(({ role }) => role === "missing").reduce((sum, { accounts }) => sum + accounts, 0);
  const named = <Code>{key}</Code>;
  return (
    <>
      {missing > 0 && (
        <Banner tone="bad">
          <Say of={w.missing} n={missing} />
        </Banner>
      )}
      <p>
        {ring.accounts === 0 ? <Say of={w.ringNone} ring={named} /> : ring.current === ring.accounts ? <Say of={w.ringDone} ring={named} /> : <Say of={w.ringText} current={ring.current} total={ring.accounts} ring={named} />}
      </p>
      <progress max={Math.max(1, ring.accounts)} value={ring.accounts === 0 ? 1 : ring.current} aria-label={say(w.ring)} />
      <Table
        caption={say(w.ring)}
        rows={ring.keys}
        id={({ id }) => id}
        columns={[
          { title: say(w.key), cell: ({ id }) => <Code>{id}</Code> },
          { title: say(w.role), cell: ({ role }) => <Chip tone={role === "missing" ? "bad" : role === "current" ? "good" : "plain"}>{say(w.roles[role])}</Chip> },
          { title: say(w.sealed), number: true, cell: ({ accounts }) => accounts.toLocaleString() },
        ]}
      />
      <p class="hint">
        <Say of={w.ringCount} />
      </p>
    </>
  );
}
