// What pages are made of: text of others, states of a list, tables, fields.
import { type ComponentChild, type ComponentChildren, Fragment, isValidElement } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "../components/icon.tsx";
import { formOf, pieces, type Message } from "../words/message.ts";
import type { Failure } from "./api.ts";
import { seen, short } from "./text.ts";
import type { UnixTime } from "./types.ts";
import { useConsole, useSay, useTime, useWords, type Loaded } from "./ui.ts";

/** Text that somebody else wrote: never markup, and it turns no direction but its own. */
export const Text = ({ children, whole }: { children: string; whole?: boolean }) => (
  <bdi title={whole ? undefined : seen(children)}>{whole ? seen(children) : short(children)}</bdi>
);

/** An id, or a word of the API. */
export const Code = ({ children, whole }: { children: string; whole?: boolean }) => (
  <code>
    <Text whole={whole ?? false}>{children}</Text>
  </code>
);

type Parts<Place extends string> = { [Key in Place]: string | number | ComponentChild };

/** A sentence on the page. */
export function Say<Place extends string = never>({ of, ...values }: { of: Message<Place> } & Parts<NoInfer<Place>>) {
  const { tag } = useConsole();
  const parts = values as unknown as Record<string, ComponentChild>;
  const shown = (part: ComponentChild) => (typeof part === "string" ? <Text>{part}</Text> : typeof part === "number" ? new Intl.NumberFormat(tag).format(part) : isValidElement(part) ? part : null);
  return <>{pieces(formOf(of, parts, tag)).map((piece, index) => (index % 2 ? <Fragment key={index}>{shown(parts[piece])}</Fragment> : piece))}</>;
}

export function When({ at, day }: { at: UnixTime | null; day?: boolean }) {
  const time = useTime();
  if (at === null) return <span class="soft">–</span>;
  return (
    <time dateTime={time.utc(at)} title={`${time.exact(at)} · ${time.utc(at)}`}>
      {day ? time.day(at) : time.brief(at)}
    </time>
  );
}

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

export const Chip = ({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) => <span class={`chip ${tone}`}>{children}</span>;

export function Banner({ tone, children, focused }: { tone: Exclude<Tone, "plain">; children: ComponentChildren; focused?: boolean }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (focused) element.current?.focus();
  }, []);
  const icons: Record<typeof tone, IconName> = { good: "done", warn: "warning", bad: "warning", info: "info" };
  return (
    <div class={`banner ${tone}`} role={tone === "bad" ? "alert" : "status"} tabIndex={focused ? -1 : undefined} ref={element}>
      <Icon name={icons[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** What went wrong, in our words where there are some, with the service's own and its code. */
export function Problem({ failure }: { failure: Failure }) {
  const { problem } = useWords();
  const known = Object.hasOwn(problem, failure.code) ? problem[failure.code as keyof typeof problem] : problem.other;
  return (
    <>
      <Say of={known as Message} />
      {failure.told && (
        <span class="told">
          {" "}
          <bdi lang="en">{seen(failure.told)}</bdi> <code>{seen(failure.code)}</code>
        </span>
      )}
    </>
  );
}

export interface ButtonProps {
  kind?: "primary" | "secondary" | "quiet" | "danger" | "risky";
  /** Without it the button submits its form. */
  onPress?: () => void;
  name?: string;
  icon?: IconName;
  busy?: boolean;
  safe?: boolean;
  label?: string;
  pressed?: boolean;
  expanded?: boolean;
  children?: ComponentChildren;
}

export function Button({ kind = "secondary", onPress, name, icon, busy, safe, label, pressed, expanded, children }: ButtonProps) {
  return (
    <button
      type={onPress ? "button" : "submit"}
      class={`button ${kind}`}
      name={name}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      data-safe={safe || undefined}
      onClick={(event) => (busy ? event.preventDefault() : onPress?.())}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A page's or a card's answer in each of its states: coming, failed, there. */
export function Shown<Value>({ of, children }: { of: Loaded<Value>; children: (value: Value) => ComponentChildren }) {
  const words = useWords();
  if (of.value !== null) {
    return (
      <div class="shown" aria-busy={of.loading || undefined}>
        {of.failure && <Failed of={of} />}
        {children(of.value)}
      </div>
    );
  }
  if (of.failure && !of.loading) return <Failed of={of} />;
  return (
    <div aria-busy="true" class="bones">
      <span class="hidden">
        <Say of={words.loading} />
      </span>
      <span class="bone" />
      <span class="bone" />
      <span class="bone" />
    </div>
  );
}

function Failed<Value>({ of }: { of: Loaded<Value> }) {
  const words = useWords();
  return (
    <Banner tone="bad">
      <p>
        <Problem failure={of.failure!} />
      </p>
      <Button onPress={of.reload} name="again">
        <Say of={words.button.again} />
      </Button>
    </Banner>
  );
}

export const Empty = ({ icon = "info", children }: { icon?: IconName; children: ComponentChildren }) => (
  <div class="empty">
    <Icon name={icon} large />
    <div>{children}</div>
  </div>
);

export interface Column<Row> {
  title: string;
  /** Right, as figures are. */
  number?: boolean;
  cell: (row: Row) => ComponentChild;
}

/** Rows whose first cell leads on. On a narrow screen each row is a card of names and values. */
export function Table<Row>({ caption, columns, rows, link, id }: { caption: string; columns: Column<Row>[]; rows: Row[]; link?: (row: Row) => string; id: (row: Row) => string | number }) {
  return (
    <div class="scroller" tabIndex={0} role="group" aria-label={caption}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th scope="col" key={title} class={number ? "number" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map(({ title, number, cell }, index) => (
                <td key={title} data-title={title} class={number ? "number" : undefined}>
                  {index === 0 && link ? (
                    <a href={link(row)} data-row>
                      {cell(row)}
                    </a>
                  ) : (
                    cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const Facts = ({ of }: { of: [name: string, value: ComponentChild][] }) => (
  <dl class="facts">
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

export function Card({ title, children, acts }: { title: ComponentChild; children: ComponentChildren; acts?: ComponentChild }) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{title}</h2>
        {acts}
      </div>
      {children}
    </section>
  );
}

interface FieldProps {
  label: string;
  name: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  error?: ComponentChild;
  kind?: "text" | "password" | "number" | "datetime-local" | "search" | "color" | "url";
  suffix?: string;
  autocomplete?: string;
  first?: boolean;
  options?: readonly (readonly [value: string, title: string])[];
  rows?: number;
  more?: Record<string, unknown>;
}

/** One field, its label, and what is wrong with it. */
export function Field({ label, name, value, onInput, hint, error, kind = "text", suffix, autocomplete = "off", first, options, rows, more = {} }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const common = { id, name, value, "aria-describedby": described, "aria-invalid": error ? true : undefined, "data-first": first || undefined, ...more };
  const take = (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="control">
        {options ? (
          <select {...common} onChange={take}>
            {options.map(([option, title]) => (
              <option value={option} key={option} selected={option === value}>
                {title}
              </option>
            ))}
          </select>
        ) : rows ? (
          <textarea {...common} rows={rows} spellcheck={false} onInput={take} />
        ) : (
          <input {...common} {...({ type: kind } as object)} autocomplete={autocomplete} spellcheck={false} autocapitalize="off" onInput={take} />
        )}
        {suffix && <span class="suffix">{suffix}</span>}
      </div>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          <Icon name="warning" />
          <span>{error}</span>
        </p>
      )}
    </div>
  );
}

export function Tick({ label, name, checked, onChange, hint }: { label: ComponentChild; name: string; checked: boolean; onChange: (checked: boolean) => void; hint?: ComponentChild }) {
  const id = useId();
  return (
    <div class="tick">
      <input id={id} type="checkbox" name={name} checked={checked} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onChange(event.currentTarget.checked)} />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/** Copies, and says so in its place. */
export function CopyButton({ text }: { text: string }) {
  const words = useWords();
  const say = useSay();
  const { announce } = useConsole();
  const button = useRef<HTMLSpanElement>(null);
  const copy = async () => {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    const said = say(done ? words.button.copied : words.button.notCopied);
    announce(said);
    button.current!.textContent = said;
    setTimeout(() => button.current && (button.current.textContent = say(words.button.copy)), 2_000);
  };
  return (
    <Button onPress={() => void copy()} name="copy" icon="copy">
      <span ref={button}>{say(words.button.copy)}</span>
    </Button>
  );
}
