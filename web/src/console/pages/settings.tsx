// A client's settings: each with its bounds and its effect. Nothing is saved before what changes was shown, old and new.
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../../components/dialog.tsx";
import type { Message } from "../../words/message.ts";
import { at } from "../api.ts";
import { changesOf, type Definition, definitions, type Draft, draftOf, fieldOf, type Group, groups, isOutside, normalOf, patchOf } from "../definitions.ts";
import { Banner, Button, Card, Chip, Empty, Field, Problem, Say, Text, Tick } from "../parts.tsx";
import type { Client } from "../types.ts";
import { useConsole, useSay, useTask, useWords } from "../ui.ts";

type Described = { title: Message; effect: Message; default?: Message };

function useDescribed() {
  const { setting } = useWords();
  return (name: string) => setting[name as keyof typeof setting] as unknown as Described;
}

export function SettingsTab({ client, onSaved }: { client: Client; onSaved: () => void }) {
  const { api, words, toast } = useConsole();
  const { settings: w } = words;
  const say = useSay();
  const task = useTask();
  const describe = useDescribed();
  const before: Draft = { ...draftOf(client.settings), name: client.name };
  const [draft, setDraft] = useState(before);
  const [find, setFind] = useState("");
  const [reviewing, setReviewing] = useState(false);
  const form = useRef<HTMLDivElement>(null);
  const changed = [...(draft.name !== before.name ? ["name"] : []), ...changesOf(before, draft)];
  const outside = definitions.filter((definition) => isOutside(definition, draft[definition.name]!)).map(({ name }) => name);
  const wrong = task.failure && fieldOf(task.failure.field, changed);
  const focus = (name: string) => form.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
  useEffect(() => {
    if (wrong) focus(wrong);
  }, [task.failure]);
  // Another tab, or another operator, may have changed it.
  useEffect(() => setDraft(before), [JSON.stringify(before)]);

  const set = (name: string) => (value: string) => {
    if (wrong === name) task.forget();
    setDraft((now) => ({ ...now, [name]: value }));
  };
  const save = () =>
    task.run(async () => {
      setReviewing(false);
      const settings = patchOf(changed, draft);
      const body = { ...(changed.includes("name") && { name: draft.name!.trim() }), ...(Object.keys(settings).length > 0 && { settings }) };
      await api.call("PATCH", at`/admin/clients/${client.client_id}`, { body });
      onSaved();
      toast(say(w.saved));
    });
  const matches = (name: string) => {
    const { title, effect } = describe(name);
    return find === "" || `${say(title)} ${say(effect)} ${name}`.toLowerCase().includes(find.toLowerCase());
  };
  const shown = (Object.keys(groups) as Group[]).map((group) => [group, (groups[group] as Definition[]).filter(({ name }) => matches(name))] as const).filter(([, list]) => list.length > 0);
  return (
    <div class="settings" ref={form}>
      <div class="filters">
        <Field label={say(w.filter)} name="find" kind="search" value={find} onInput={setFind} more={{ "data-search": true }} />
      </div>
      {task.failure && !wrong && (
        <Banner tone="bad">
          <Problem failure={task.failure} />
        </Banner>
      )}
      {matches("name") && (
        <Card title={<Say of={w.name} />}>
          <One name="name" draft={draft} before={before} set={set("name")} error={wrong === "name" && <Problem failure={task.failure!} />} />
        </Card>
      )}
      {shown.map(([group, list]) => (
        <Card key={group} title={<Say of={w[group]} />}>
          {list.map((definition) => {
            const { name } = definition;
            const bounds = definition.kind === "number" ? <Say of={w.outside} min={definition.min} max={definition.max} /> : null;
            const error = outside.includes(name) ? bounds : wrong === name && <Problem failure={task.failure!} />;
            return <One key={name} name={name} definition={definition} draft={draft} before={before} set={set(name)} error={error} />;
          })}
        </Card>
      ))}
      {shown.length === 0 && !matches("name") && (
        <Empty>
          <p>
            <Say of={w.noMatch} />
          </p>
        </Empty>
      )}
      {changed.length > 0 && (
        <div class="sticky" role="region" aria-label={say(w.changes, { n: changed.length })}>
          <span>
            <Say of={w.changes} n={changed.length} />
          </span>
          <Button name="discard" onPress={() => (task.forget(), setDraft(before))}>
            <Say of={w.discard} />
          </Button>
          <Button kind="primary" name="review" busy={task.busy} onPress={() => (outside.length > 0 ? focus(outside[0]!) : setReviewing(true))}>
            <Say of={w.review} />
          </Button>
        </div>
      )}
      {reviewing && <Review {...{ changed, before, draft }} onClose={() => setReviewing(false)} onSave={() => void save()} />}
    </div>
  );
}

interface OneProps {
  name: string;
  definition?: Definition;
  draft: Draft;
  before: Draft;
  set: (value: string) => void;
  error: ComponentChild;
}

function One({ name, definition = { name, kind: "text" }, draft, before, set, error }: OneProps) {
  const { settings: w } = useWords();
  const say = useSay();
  const describe = useDescribed();
  const { title, effect, default: unset } = describe(name);
  const value = draft[name]!;
  const common = { label: say(title), name, value, onInput: set, error };
  const bounds =
    definition.kind === "number" ? <Say of={w.bounds} min={definition.min} max={definition.max} value={definition.normal} /> : unset ? <Say of={w.ifNotSet} value={<>{say(unset)}</>} /> : null;
  const hint = (
    <>
      <Say of={effect} /> {bounds && <span class="bounds">{bounds}</span>}
      {(definition.kind === "lines" || definition.kind === "countries") && (
        <>
          {" "}
          <Say of={w.oneEach} />
        </>
      )}
    </>
  );
  return (
    <div class="setting" data-changed={value !== before[name] || undefined}>
      <div>
        {definition.kind === "yes" ? (
          <Tick name={name} label={say(title)} hint={hint} checked={value === "true"} onChange={(on) => set(String(on))} />
        ) : definition.kind === "ticks" ? (
          <Ticks {...{ name, value, set, hint, error }} title={say(title)} options={definition.options} />
        ) : definition.kind === "logo" ? (
          <Logo {...{ value, set, error }} name={name} title={say(title)} />
        ) : definition.kind === "choice" ? (
          <Field {...common} hint={hint} options={definition.options.map((option) => [option, option] as const)} />
        ) : definition.kind === "lines" || definition.kind === "countries" ? (
          <Field {...common} hint={hint} rows={Math.min(6, Math.max(2, value.split("\n").length))} />
        ) : (
          <Field {...common} hint={hint} kind={definition.kind === "number" ? "number" : "text"} more={definition.kind === "number" ? { min: definition.min, max: definition.max, inputMode: "numeric" } : {}} />
        )}
      </div>
      <div class="marks">
        {value !== before[name] ? <Chip tone="warn">{say(w.changed)}</Chip> : name !== "name" && value !== normalOf(definition) && <Chip>{say(w.differs)}</Chip>}
        {name !== "name" && value !== normalOf(definition) && (
          <Button kind="quiet" name={`default-${name}`} label={`${say(w.toDefault)}: ${say(title)}`} onPress={() => set(normalOf(definition))}>
            <Say of={w.toDefault} />
          </Button>
        )}
      </div>
    </div>
  );
}

function Ticks({ name, title, value, set, options, hint, error }: { name: string; title: string; value: string; set: (value: string) => void; options: readonly string[]; hint: ComponentChild; error: ComponentChild }) {
  // None is ticked where nothing is set, and all of them apply: so all are shown ticked.
  const chosen = value === "" ? [...options] : value.split("\n");
  const change = (option: string, on: boolean) => {
    const now = options.filter((one) => (one === option ? on : chosen.includes(one)));
    set(now.length === options.length ? "" : now.join("\n"));
  };
  return (
    <fieldset>
      <legend>{title}</legend>
      <p class="hint">{hint}</p>
      <div class="ticks">
        {options.map((option, index) => (
          <Tick key={option} name={index === 0 ? name : `${name}-${option}`} label={<code>{option}</code>} checked={chosen.includes(option)} onChange={(on) => change(option, on)} />
        ))}
      </div>
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}

/** As it will be shown on light and dark. A picture is drawn as an image, never as part of the page. */
function Logo({ name, title, value, set, error }: { name: string; title: string; value: string; set: (value: string) => void; error: ComponentChild }) {
  const { settings: w } = useWords();
  const say = useSay();
  const take = (file: File | undefined) => {
    if (!file) return;
    const reader = new FileReader();
    reader.onload = () => set(String(reader.result));
    reader.readAsDataURL(file);
  };
  return (
    <fieldset>
      <legend>{title}</legend>
      <p class="hint">
        <Say of={w.logoHint} />
      </p>
      <div class="logo">
        {value.startsWith("data:image/") ? <img src={value} alt={say(w.logoThere)} /> : <span class="soft">{say(w.logoNone)}</span>}
        <label class="button secondary">
          <Say of={w.logo} />
          <input class="hidden" type="file" name={name} accept="image/png,image/svg+xml" onChange={(event) => take(event.currentTarget.files?.[0])} />
        </label>
        {value !== "" && (
          <Button kind="quiet" name="no-logo" onPress={() => set("")}>
            <Say of={w.logoRemove} />
          </Button>
        )}
      </div>
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}

function Review({ changed, before, draft, onClose, onSave }: { changed: string[]; before: Draft; draft: Draft; onClose: () => void; onSave: () => void }) {
  const { settings: w, button } = useWords();
  const describe = useDescribed();
  const said = (name: string, text: string): ComponentChild => {
    const { kind } = definitions.find((definition) => definition.name === name) ?? { kind: "text" };
    if (kind === "yes") return <Say of={text === "true" ? w.yes : w.no} />;
    if (text === "") return <Say of={w.default} />;
    if (kind === "logo") return <Say of={w.logoThere} />;
    return <Text whole>{text.split("\n").join(", ")}</Text>;
  };
  return (
    <Dialog title={<Say of={w.reviewTitle} />} onClose={onClose}>
      <dl class="review">
        {changed.map((name) => (
          <div key={name}>
            <dt>
              <Say of={describe(name).title} />
            </dt>
            <dd>
              <Say of={w.old} value={<>{said(name, before[name]!)}</>} />
              <br />
              <Say of={w.new} value={<strong>{said(name, draft[name]!)}</strong>} />
            </dd>
          </div>
        ))}
      </dl>
      <div class="choice">
        <Button name="safe" onPress={onClose} safe>
          <Say of={button.cancel} />
        </Button>
        <Button kind="primary" name="save" onPress={onSave}>
          <Say of={w.save} />
        </Button>
      </div>
    </Dialog>
  );
}
