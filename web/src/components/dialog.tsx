// A dialog: its title is the act as a question, the safe choice has the focus, and Escape is the safe choice.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  title: ComponentChildren;
  children: ComponentChildren;
  onClose: () => void;
  /** Neither Escape nor a second one closes it: what it shows is shown once. */
  stays?: boolean;
}

export function Dialog({ title, children, onClose, stays }: Props) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-safe]")?.focus();
    // Closing, not removing it, gives the focus back to where it was.
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      {...(stays && { closedby: "none" })}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** Its two choices: the safe one first, the act after it. */
export function Choice({ safe, onSafe, children }: { safe: ComponentChildren; onSafe: () => void; children: ComponentChildren }) {
  return (
    <div class="choice">
      <button type="button" class="button secondary" data-safe name="safe" onClick={onSafe}>
        <span class="label">{safe}</span>
      </button>
      {children}
    </div>
  );
}
