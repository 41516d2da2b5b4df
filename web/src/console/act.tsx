// Acts that take something away. A dialog says what stops working before it does. Three grades: what can be undone asks
// once; what cuts somebody off wants a tick; what is final wants the id typed. The safe choice has the focus.
import type { ComponentChild, ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "../components/dialog.tsx";
import { Banner, Button, CopyButton, Field, Problem, Say, Tick } from "./parts.tsx";
import { useSay, useTask, useWords } from "./ui.ts";

interface ActProps {
  title: ComponentChild;
  /** What stops working, or is gone. */
  children: ComponentChildren;
  /** Names the act. */
  button: ComponentChild;
  grade: "reversible" | "cutting" | "final";
  /** What a cutting act wants to be known. */
  known?: ComponentChild;
  /** What a final act wants typed. */
  typed?: string;
  /** It closes when this is done, and stays with the reason when it is not. */
  run: () => Promise<void>;
  onClose: () => void;
}

export function Act({ title, children, button, grade, known, typed, run, onClose }: ActProps) {
  const words = useWords();
  const say = useSay();
  const task = useTask();
  const [ticked, setTicked] = useState(false);
  const [text, setText] = useState("");
  const ready = grade === "reversible" || (grade === "cutting" ? ticked : text === typed);
  return (
    <Dialog title={title} onClose={() => !task.busy && onClose()}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // Enter in the field does nothing: only the button's own press acts.
        }}
      >
        <div class="effect">{children}</div>
        {grade === "cutting" && <Tick name="known" label={known} checked={ticked} onChange={setTicked} />}
        {grade === "final" && <Field name="typed" label={say(words.act.type, { id: typed! })} value={text} onInput={setText} />}
        {task.failure && (
          <Banner tone="bad">
            <Problem failure={task.failure} />
          </Banner>
        )}
        <div class="choice">
          <Button onPress={onClose} name="safe" safe>
            <Say of={words.button.cancel} />
          </Button>
          <button
            type="button"
            class={`button ${grade === "reversible" ? "primary" : "danger"}`}
            name="act"
            disabled={!ready}
            aria-busy={task.busy || undefined}
            onClick={() => void task.run(run)}
          >
            {task.busy && <span class="spinner" aria-hidden="true" />}
            <span>{button}</span>
          </button>
        </div>
        {!ready && (
          <p class="hint">
            <Say of={grade === "cutting" ? words.act.tickFirst : words.act.typeFirst} />
          </p>
        )}
      </form>
    </Dialog>
  );
}

/** A secret in the only moment that it can be seen. It closes once the operator says that it is kept. */
export function Secret({ title, secret, children, onClose }: { title: ComponentChild; secret: string; children: ComponentChildren; onClose: () => void }) {
  const words = useWords();
  const say = useSay();
  const [kept, setKept] = useState(false);
  return (
    <Dialog title={title} onClose={() => {}} stays>
      <p>
        <Say of={words.secret.once} />
      </p>
      {children}
      <div class="secret">
        <code data-secret>{secret}</code>
        <CopyButton text={secret} />
      </div>
      <Tick name="kept" label={say(words.secret.kept)} checked={kept} onChange={setKept} />
      <div class="choice">
        <button type="button" class="button primary" name="close" disabled={!kept} onClick={onClose}>
          <Say of={words.button.close} />
        </button>
      </div>
    </Dialog>
  );
}
