// One user, on a page where everything about them is done.
import { useState } from "preact/hooks";
import { Act } from "../act.tsx";
import { at } from "../api.ts";
import { save } from "../download.ts";
import { Events } from "../events.tsx";
import { Head } from "../frame.tsx";
import { Banner, Button, Card, Chip, Empty, Facts, Problem, Say, Shown, Table, Text, When } from "../parts.tsx";
import { href } from "../route.ts";
import { fileName, seen } from "../text.ts";
import type { User, UserCount } from "../types.ts";
import { useConsole, useLoad, useSay, useTask, useTime } from "../ui.ts";

export function UserPage({ client, user }: { client: string; user: string }) {
  const { api, words } = useConsole();
  const { user: w } = words;
  const say = useSay();
  const path = at`/admin/users/${client}/${user}`;
  const loaded = useLoad(path, (signal) => api.call<User>("GET", path, { signal }));
  const [acting, setActing] = useState<"unlock" | "disable" | "delete" | null>(null);
  const crumbs = [
    { title: say(words.place.users), href: href(["users"]) },
    { title: client, href: href(["users"], { client }) },
  ];
  const unknown = loaded.failure?.status === 404 && !loaded.loading;
  const there = loaded.value !== null && !unknown;
  return (
    <>
      <Head
        title={seen(user)}
        crumbs={crumbs}
        acts={
          <>
            <Button name="reload" onPress={loaded.reload}>
              <Say of={words.button.reload} />
            </Button>
            {there && (
              <>
                <Button name="disable" onPress={() => setActing("disable")}>
                  <Say of={w.disable} />
                </Button>
                <Button kind="risky" name="delete" onPress={() => setActing("delete")}>
                  <Say of={w.delete} />
                </Button>
              </>
            )}
          </>
        }
      />
      {unknown ? (
        <Empty>
          <p>
            <Say of={w.unknown} />
          </p>
          <p>
            <a href={href(["audit"], { client, user })}>
              <Say of={w.more} />
            </a>
          </p>
        </Empty>
      ) : (
        <Shown of={loaded}>{(value) => <Held user={value} onUnlock={() => setActing("unlock")} />}</Shown>
      )}
      {acting && there && <Acting {...{ acting, path }} user={loaded.value!} onClose={() => setActing(null)} onDone={loaded.reload} />}
    </>
  );
}

function Held({ user, onUnlock }: { user: User; onUnlock: () => void }) {
  const { words } = useConsole();
  const { user: w } = words;
  const say = useSay();
  return (
    <div class="cards two">
      <Card title={<Say of={w.now} />}>
        <p>
          <Chip tone={user.mfa_enabled ? "good" : "plain"}>{say(user.mfa_enabled ? w.on : w.off)}</Chip>
        </p>
        <Counts counts={user.counts} />
        {user.counts.some(({ failures, failures_in_24_hours, locked_until }) => failures + failures_in_24_hours > 0 || locked_until) && (
          <Button name="unlock" onPress={onUnlock}>
            <Say of={w.unlock} />
          </Button>
        )}
        <Facts
          of={[
            [say(w.lastVerified), user.last_verified_at ? <When at={user.last_verified_at} /> : say(w.never)],
            [say(w.codesLeft), String(user.recovery_codes_remaining)],
            [say(w.phone), user.phone ? <Text>{user.phone}</Text> : say(w.none)],
            [say(w.email), user.email ? <Text>{user.email}</Text> : say(w.none)],
            [say(w.added), <When at={user.created_at} />],
          ]}
        />
        <Export user={user} />
      </Card>
      <Card title={<Say of={w.ways} />}>
        <Ways user={user} />
      </Card>
      <div class="whole">
        <Card
          title={<Say of={w.timeline} />}
          acts={
            <a href={href(["audit"], { client: user.client_id, user: user.user_id })}>
              <Say of={w.more} />
            </a>
          }
        >
          {user.events.length === 0 ? <Say of={w.noEvents} /> : <Events events={user.events} caption={say(w.timeline)} of="user" />}
        </Card>
      </div>
    </div>
  );
}

function Counts({ counts }: { counts: UserCount[] }) {
  const { words } = useConsole();
  const { user: w } = words;
  const say = useSay();
  const time = useTime();
  if (counts.length === 0) {
    return (
      <p class="hint">
        <Say of={w.noCounts} />
      </p>
    );
  }
  return (
    <ul class="counts">
      {counts.map(({ class: name, failures, failures_in_24_hours: day, locked_until: until }) => {
        const closed = until !== null && until * 1000 > Date.now();
        return (
          <li key={name}>
            <strong>{Object.hasOwn(w.class, name) ? say(w.class[name as keyof typeof w.class]) : seen(name)}</strong>{" "}
            <Chip tone={closed ? "bad" : "good"}>{closed ? say(w.closed, { time: time.brief(until) }) : say(w.open)}</Chip>
            {failures + day > 0 && (
              <span class="soft">
                {say(w.wrong, { n: failures })}, {say(w.wrongDay, { n: day })}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Ways({ user }: { user: User }) {
  const { words } = useConsole();
  const { user: w } = words;
  const say = useSay();
  if (user.factors.length === 0) {
    return (
      <p class="hint">
        <Say of={w.noWays} />
      </p>
    );
  }
  return (
    <Table
      caption={say(w.ways)}
      rows={user.factors}
      id={(factor) => factor.id}
      columns={[
        { title: say(w.type), cell: ({ type }) => (Object.hasOwn(w.factors, type) ? say(w.factors[type as keyof typeof w.factors]) : seen(type)) },
        { title: say(w.name), cell: ({ name }) => (name === null ? say(w.none) : <Text>{name}</Text>) },
        { title: say(w.state), cell: ({ state }) => <Chip tone={state === "active" ? "good" : state === "disabled" ? "bad" : "plain"}>{say(w.states[state])}</Chip> },
        { title: say(w.added), cell: ({ created_at }) => <When at={created_at} day /> },
        { title: say(w.used), cell: ({ last_used_at }) => (last_used_at ? <When at={last_used_at} /> : say(w.never)) },
      ]}
    />
  );
}

function Export({ user }: { user: User }) {
  const { api, words, toast } = useConsole();
  const { user: w } = words;
  const say = useSay();
  const task = useTask();
  const hand = () =>
    task.run(async () => {
      const held = await api.call<object>("GET", at`/admin/users/${user.client_id}/${user.user_id}/export`);
      save(fileName("user", user.client_id, user.user_id) + ".json", "application/json", [`${JSON.stringify(held, null, 2)}\n`]);
      toast(say(w.exported));
    });
  return (
    <div class="export">
      <Button name="export" icon="download" busy={task.busy} onPress={() => void hand()}>
        <Say of={w.export} />
      </Button>
      <p class="hint">
        <Say of={w.exportHint} />
      </p>
      {task.failure && (
        <Banner tone="bad">
          <Problem failure={task.failure} />
        </Banner>
      )}
    </div>
  );
}

function Acting({ acting, path, user, onClose, onDone }: { acting: "unlock" | "disable" | "delete"; path: string; user: User; onClose: () => void; onDone: () => void }) {
  const { api, words, toast, go } = useConsole();
  const { user: w } = words;
  const say = useSay();
  const id = user.user_id;
  const done = (text: string) => {
    onClose();
    onDone();
    toast(text);
  };
  if (acting === "unlock") {
    return (
      <Act
        title={say(w.unlockTitle, { id })}
        grade="reversible"
        button={<Say of={w.unlockButton} />}
        onClose={onClose}
        run={async () => {
          await api.call("POST", "/admin/unlock", { body: { client_id: user.client_id, user_id: id } });
          done(say(w.unlocked, { id }));
        }}
      >
        <Counts counts={user.counts} />
        <p>
          <Say of={w.unlockText} />
        </p>
      </Act>
    );
  }
  if (acting === "disable") {
    return (
      <Act
        title={say(w.disableTitle, { id })}
        grade="cutting"
        known={say(w.disableKnown)}
        button={<Say of={w.disableButton} />}
        onClose={onClose}
        run={async () => {
          await api.call("POST", `${path}/disable`);
          done(say(w.disabledNow, { id }));
        }}
      >
        <p>
          <Say of={w.disableText} />
        </p>
        <p>
          <Say of={w.disableWays} n={user.factors.length} />
        </p>
      </Act>
    );
  }
  return (
    <Act
      title={say(w.deleteTitle, { id })}
      grade="final"
      typed={id}
      button={<Say of={w.deleteButton} id={id} />}
      onClose={onClose}
      run={async () => {
        await api.call("DELETE", path);
        onClose();
        onDone();
        toast(say(w.deleted, { id }));
        go(href(["users"], { client: user.client_id }));
      }}
    >
      <p>
        <Say of={w.deleteText} />
      </p>
      <p>
        <Say of={w.disableWays} n={user.factors.length} />
      </p>
    </Act>
  );
}
