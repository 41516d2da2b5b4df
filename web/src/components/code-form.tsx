// The form that takes a code: of an app, of a message, of the recovery set. It never submits while somebody types.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Failure } from "../session/client.ts";
import { bare, countWrong } from "../session/code.ts";
import { usePlain, useWords } from "../session/ui.ts";
import { Button, Slow } from "./button.tsx";
import { Field, type FieldError } from "./field.tsx";
import { usePress } from "./press.ts";
import { Remember } from "./remember.tsx";
import { Say } from "./say.tsx";
import { useFieldError, type About } from "./told.tsx";

interface Props {
  /** How many digits it may have; null for a recovery code, whose letters the service reads. */
  lengths: number[] | null;
  label?: ComponentChildren;
  describedBy?: string;
  submitLabel?: ComponentChildren;
  about: About;
  /** With the box "don't ask again". */
  remembers?: boolean;
  passkeys?: boolean;
  /** Handed over by the browser, with the person's consent: the only code that is sent by itself. */
  handed?: string | null;
  /** The form has come in the place of a button that had the focus. */
  focus?: boolean;
  submit: (code: string, remember: boolean, signal: AbortSignal) => Promise<unknown>;
}

export function CodeForm({ lengths, label, describedBy, submitLabel, about, remembers, passkeys, handed, focus, submit }: Props) {
  const words = useWords();
  const say = usePlain();
  const input = useRef<HTMLInputElement>(null);
  const remember = useRef<HTMLInputElement>(null);
  const press = usePress();
  const [miscounted, setMiscounted] = useState<{ digits: number; at: number } | null>(null);
  const [running, setRunning] = useState(0);
  const [length] = lengths ?? [];

  const send = () => {
    const typed = input.current!.value;
    const digits = lengths ? countWrong(typed, lengths) : bare(typed) === "" ? 0 : null;
    press.forget();
    if (digits !== null) return setMiscounted({ digits, at: Date.now() });
    setMiscounted(null);
    void press.run(async (signal) => {
      try {
        await submit(lengths ? bare(typed) : typed.trim(), remember.current?.checked ?? false, signal);
        setRunning(0);
      } catch (failure) {
        if ((failure as Failure).code === "invalid_code") setRunning((count) => count + 1);
        throw failure;
      }
    });
  };

  useEffect(() => {
    if (focus) input.current!.focus();
  }, []);

  useEffect(() => {
    if (!handed) return;
    input.current!.value = handed;
    send();
  }, [handed]);

  const answered = useFieldError(press.failure, { ...about, running });
  const error = ((): FieldError | null => {
    if (miscounted && !lengths) return { children: <Say of={words.verify.recoveryEmpty} />, spoken: say(words.verify.recoveryEmpty), at: miscounted.at };
    if (miscounted) {
      const values = { n: length!, m: miscounted.digits };
      return { children: <Say of={words.verify.tooShort} {...values} />, spoken: say(words.verify.tooShort, values), at: miscounted.at };
    }
    return answered;
  })();

  const ownLabel = lengths && lengths.length === 1 ? <Say of={words.verify.digits} n={length!} /> : <Say of={words.verify.code} />;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Field
        label={label ?? ownLabel}
        name="code"
        input={input}
        kind={lengths ? "digits" : "code"}
        error={error}
        describedBy={describedBy}
        {...(passkeys && { passkeys })}
      />
      {remembers && <Remember input={remember} />}
      <Button press={press} name="submit">
        {submitLabel ?? <Say of={words.button.continue} />}
      </Button>
      <Slow press={press} />
    </form>
  );
}
