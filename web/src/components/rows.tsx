// Rows: an icon, a title, a line, an arrow. The whole row is one button.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

interface Props {
  icon?: IconName;
  title: ComponentChildren;
  line?: ComponentChildren;
  chip?: ComponentChildren;
  onPress?: (() => void) | undefined;
  /** For tests and the development page. */
  name?: string;
  busy?: boolean;
}

export function Row({ icon, title, line, chip, onPress, name, busy }: Props) {
  const content = (
    <>
      {icon && <Icon name={icon} />}
      <span class="row-text">
        <span class="row-title">
          <span>{title}</span> {chip && <span class="chip">{chip}</span>}
        </span>
        {line && <span class="row-line"> {line}</span>}
      </span>
      {onPress && <Icon name="arrow" />}
    </>
  );
  return (
    <li class={icon ? undefined : "plain"}>
      {onPress ? (
        <button type="button" class="row" name={name} aria-disabled={busy || undefined} onClick={() => !busy && onPress()}>
          {content}
        </button>
      ) : (
        <div class="row still">{content}</div>
      )}
    </li>
  );
}

export const Rows = ({ children }: { children: ComponentChildren }) => <ul class="rows">{children}</ul>;
