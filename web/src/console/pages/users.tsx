// The users of a client, by id.
import { Head } from "../frame.tsx";
import { Button, Chip, Code, Empty, Field, Say, Shown, Table, When } from "../parts.tsx";
import { href } from "../route.ts";
import type { Client, UserList } from "../types.ts";
import { useConsole, useLoad, useSay } from "../ui.ts";

const PAGE = 50;

export function Users() {
  const { api, words, route, replace, go } = useConsole();
  const { users: w } = words;
  const say = useSay();
  const { client = "", prefix = "", after } = route.filters;
  const clients = useLoad("clients", (signal) => api.call<{ clients: Client[] }>("GET", "/admin/clients", { signal }));
  const filter = (change: Record<string, string>) => replace(href(["users"], { client, prefix, ...change }));
  return (
    <>
      <Head title={say(words.place.users)} />
      <div class="filters">
        <Field
          label={say(w.client)}
          name="client"
          value={client}
          onInput={(value) => replace(href(["users"], { client: value }))}
          options={[["", say(w.choose)], ...((clients.value?.clients ?? (client ? [{ client_id: client, name: client }] : [])).map((one) => [one.client_id, `${one.name} · ${one.client_id}`] as const))]}
        />
        <Field label={say(w.prefix)} name="prefix" kind="search" value={prefix} onInput={(value) => filter({ prefix: value.trim() })} hint={<Say of={w.prefixHint} />} more={{ "data-search": true }} />
      </div>
      {client === "" ? (
        <Empty>
          <p>
            <Say of={w.chooseFirst} />
          </p>
        </Empty>
      ) : (
        <List {...{ client, prefix }} after={after} onNext={(next) => go(href(["users"], { client, prefix, after: next }))} onStart={() => go(href(["users"], { client, prefix }))} />
      )}
    </>
  );
}

interface ListProps {
  client: string;
  prefix: string;
  after: string | undefined;
  onNext: (after: string) => void;
  onStart: () => void;
}

function List({ client, prefix, after, onNext, onStart }: ListProps) {
  const { api, words } = useConsole();
  const { users: w } = words;
  const say = useSay();
  const query = { client_id: client, prefix, after, limit: PAGE };
  const list = useLoad(JSON.stringify(query), (signal) => api.call<UserList>("GET", "/admin/users", { query, signal }));
  return (
    <Shown of={list}>
      {({ users, next }) =>
        users.length === 0 ? (
          <Empty>
            <p>{prefix ? <Say of={w.noMatch} text={prefix} /> : <Say of={w.empty} />}</p>
          </Empty>
        ) : (
          <>
            <Table
              caption={say(words.place.users)}
              rows={users}
              id={(user) => user.user_id}
              link={(user) => href(["users", client, user.user_id])}
              columns={[
                { title: say(w.id), cell: (user) => <Code>{user.user_id}</Code> },
                { title: say(w.state), cell: (user) => <Chip tone={user.mfa_enabled ? "good" : "plain"}>{say(user.mfa_enabled ? w.on : w.off)}</Chip> },
                { title: say(w.added), cell: (user) => <When at={user.created_at} day /> },
                { title: say(w.last), cell: (user) => <When at={user.updated_at} /> },
              ]}
            />
            <div class="paging">
              {after && (
                <Button name="newest" onPress={onStart}>
                  <Say of={words.button.start} />
                </Button>
              )}
              {next && (
                <Button name="older" onPress={() => onNext(next)}>
                  <Say of={words.button.next} />
                </Button>
              )}
              <Button name="reload" kind="quiet" onPress={list.reload}>
                <Say of={words.button.reload} />
              </Button>
            </div>
          </>
        )
      }
    </Shown>
  );
}
