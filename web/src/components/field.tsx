// One field with its label and what is wrong with it. Nothing is wrong before the first answer.
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useUi } from "../session/ui.ts";
import { Icon } from "./icon.tsx";

export interface FieldError {
  children: ComponentChildren;
  /** The same as plain text. */
  spoken: string;
  /** Another one for each time that something is wrong, so that the same words are said again. */
  at: number;
}

interface Props {
  label: ComponentChildren;
  name: string;
  input: RefObject<HTMLInputElement | null>;
  error: FieldError | null;
  /** Further descriptions, by id. */
  describedBy?: string | undefined;
  hint?: ComponentChildren;
  kind: "digits" | "code" | "text" | "phone" | "email";
  /** Suggestions of passkeys beside the code. */
  passkeys?: boolean;
  value?: string;
  /** Takes the focus on every screen, since it is alone there; or only when the page opens. */
  focus?: "always" | "first" | "never";
}

const kinds: Record<Props["kind"], object> = {
  digits: { class: "code", type: "text", inputMode: "numeric", autocomplete: "one-time-code", autocapitalize: "off", spellcheck: false },
  code: { class: "recovery", type: "text", inputMode: "text", autocomplete: "off", autocapitalize: "characters", spellcheck: false },
  text: { type: "text", autocomplete: "off" },
  phone: { type: "tel", inputMode: "tel", autocomplete: "tel" },
  email: { type: "email", inputMode: "email", autocomplete: "email", autocapitalize: "off", spellcheck: false },
};

export function Field({ label, name, input, error, describedBy, hint, kind, passkeys, value, focus = "always" }: Props) {
  const { session } = useUi();
  const id = useId();
  const errorId = `${id}-error`;
  const hintId = `${id}-hint`;
  const told = useRef<number | null>(null);
  useEffect(() => {
    if (!error || told.current === error.at) return;
    told.current = error.at;
    const field = input.current!;
    const root = field.getRootNode() as Document | ShadowRoot;
    // Heard once: with the focus its description is read; where the focus is there already, it has to be said.
    if (root.activeElement === field) session.voice.interrupt(error.spoken);
    else field.focus();
    field.select();
  });
  const described = [describedBy, hint && hintId, error && errorId].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
      <input
        id={id}
        name={name}
        ref={input}
        defaultValue={value}
        aria-describedby={described || undefined}
        aria-invalid={error ? "true" : undefined}
        data-focus={focus === "never" ? undefined : focus}
        {...kinds[kind]}
        {...(passkeys && { autocomplete: "one-time-code webauthn" })}
      />
      {error && (
        <p class="error" id={errorId}>
          <Icon name="warning" />
          <span>{error.children}</span>
        </p>
      )}
    </div>
  );
}
