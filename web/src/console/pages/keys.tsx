// A client's API keys.
import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog.tsx";
import { Act, Secret } from "../act.tsx";
import { at } from "../api.ts";
import { Banner, Button, Chip, Code, Empty, Field, Problem, Say, Shown, Table, Text, Tick, When } from "../parts.tsx";
import { type ApiKey, type Client, type Scope, scopes } from "../types.ts";
import { useConsole, useLoad, useSay, useTask } from "../ui.ts";

export function Keys({ client }: { client: Client }) {
  const { api, words, toast } = useConsole();
  const { apiKeys: w } = words;
  const say = useSay();
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<ApiKey | null>(null);
  const path = at`/admin/clients/${client.client_id}/keys`;
  const list = useLoad(path, (signal) => api.call<{ keys: ApiKey[] }>("GET", path, { signal }));
  return (
    <>
      <div class="lead">
        <p class="hint">
          <Say of={w.lead} />
        </p>
        <Button kind="primary" name="create-key" onPress={() => setMaking(true)}>
          <Say of={w.create} />
        </Button>
      </div>
      <Shown of={list}>
        {({ keys }) =>
          keys.length === 0 ? (
            <Empty>
              <p>
                <Say of={w.empty} />
              </p>
            </Empty>
          ) : (
            <Table
              caption={say(words.client.keys)}
              rows={keys}
              id={(key) => key.key_id}
              columns={[
                { title: say(w.name), cell: (key) => <Text>{key.name}</Text> },
                { title: say(words.clients.id), cell: (key) => <Code>{key.key_id}</Code> },
                { title: say(w.scopes), cell: (key) => key.scopes.join(", ") },
                { title: say(w.created), cell: (key) => <When at={key.created_at} day /> },
                { title: say(w.used), cell: (key) => (key.last_used_at ? <When at={key.last_used_at} day /> : say(w.never)) },
                {
                  title: say(w.expires),
                  cell: (key) =>
                    key.expires_at === null ? (
                      say(w.never)
                    ) : key.expires_at * 1000 < Date.now() ? (
                      <Chip tone="bad">{say(w.expired)}</Chip>
                    ) : (
                      <When at={key.expires_at} day />
                    ),
                },
                {
                  title: say(w.revoke),
                  cell: (key) => (
                    <Button kind="risky" name={`revoke-${key.key_id}`} onPress={() => setEnding(key)} label={say(w.revokeButton, { name: key.name })}>
                      <Say of={w.revoke} />
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Shown>
      {making && <Create path={path} onClose={() => setMaking(false)} onMade={list.reload} />}
      {ending && (
        <Act
          title={say(w.revokeTitle, { name: ending.name })}
          grade="cutting"
          known={say(w.revokeKnown)}
          button={<Say of={w.revokeButton} name={ending.name} />}
          onClose={() => setEnding(null)}
          run={async () => {
            await api.call("DELETE", `${path}/${encodeURIComponent(ending.key_id)}`);
            setEnding(null);
            list.reload();
            toast(say(w.revoked, { name: ending.name }));
          }}
        >
          <p>
            <Say of={w.revokeText} />
          </p>
        </Act>
      )}
    </>
  );
}

function Create({ path, onClose, onMade }: { path: string; onClose: () => void; onMade: () => void }) {
  const { api, words } = useConsole();
  const { apiKeys: w } = words;
  const say = useSay();
  const task = useTask();
  const [name, setName] = useState("");
  const [days, setDays] = useState("365");
  const [chosen, setChosen] = useState<Scope[]>([]);
  const [unchosen, setUnchosen] = useState(false);
  const [made, setMade] = useState<ApiKey | null>(null);
  if (made) {
    return (
      <Secret title={say(w.made, { name: made.name })} secret={made.api_key!} onClose={onClose}>
        <p>
          <Say of={w.use} />
        </p>
      </Secret>
    );
  }
  const create = () => {
    setUnchosen(chosen.length === 0);
    if (chosen.length === 0) return;
    void task.run(async () => {
      const body = { name: name.trim(), scopes: scopes.filter((scope) => chosen.includes(scope)), ...(days !== "" && { expires_in_days: Number(days) }) };
      setMade(await api.call<ApiKey>("POST", path, { body }));
      onMade();
    });
  };
  const { failure } = task;
  const wrong = (field: string) => failure?.field === field && <Problem failure={failure} />;
  return (
    <Dialog title={<Say of={w.create} />} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <Field label={say(w.name)} name="name" value={name} onInput={setName} hint={<Say of={w.nameHint} />} error={wrong("name")} more={{ maxLength: 64, "data-safe": true }} />
        <fieldset aria-describedby={unchosen ? "unchosen" : undefined}>
          <legend>
            <Say of={w.scopes} />
          </legend>
          {scopes.map((scope) => (
            <Tick
              key={scope}
              name={`scope-${scope}`}
              label={
                <>
                  <code>{scope}</code> <Say of={w.scope[scope]} />
                </>
              }
              checked={chosen.includes(scope)}
              onChange={(on) => setChosen(on ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
            />
          ))}
          {unchosen && (
            <p class="error" id="unchosen" role="alert">
              <Say of={w.needScope} />
            </p>
          )}
        </fieldset>
        <Field label={say(w.days)} name="days" kind="number" value={days} onInput={setDays} hint={<Say of={w.daysHint} />} error={wrong("expires_in_days")} more={{ min: 1, max: 3650 }} />
        {failure && !["name", "expires_in_days"].includes(failure.field ?? "") && (
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
