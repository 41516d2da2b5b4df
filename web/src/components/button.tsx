import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";
import type { Press } from "./press.ts";
import { useWords } from "../session/ui.ts";

/** `risky` leads to what `danger` does. */
type Kind = "primary" | "secondary" | "quiet" | "risky" | "danger";

interface Props {
  kind?: Kind;
  children: ComponentChildren;
  icon?: IconName;
  /** Without it the button submits its form. */
  onPress?: () => void;
  press?: Press;
  /** Takes the focus when the page opens. */
  first?: boolean;
  /** For tests and the development page. */
  name?: string;
  label?: string;
}

export function Button({ kind = "primary", children, icon, onPress, press, first, name, label }: Props) {
  const busy = press?.busy ?? false;
  const click = (event: Event) => {
    if (busy) event.preventDefault();
    else onPress?.();
  };
  return (
    <button
      type={onPress ? "button" : "submit"}
      class={`button ${kind}`}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-label={label}
      data-focus={first ? "first" : undefined}
      name={name}
      onClick={click}
    >
      {press?.spinning ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span class="label">{children}</span>
    </button>
  );
}

/** Under a button that is not answered. */
export function Slow({ press }: { press: Press }) {
  const { slow } = useWords();
  return press.slow ? <p class="hint">{slow as string}</p> : null;
}
