// Facts that stay until their cause is gone. Good ones and plain ones are said by themselves; errors get the focus.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

export type Tone = "good" | "warn" | "bad" | "info";

const icons: Record<Tone, IconName> = { good: "done", warn: "clock", bad: "warning", info: "info" };

interface Props {
  tone: Tone;
  icon?: IconName;
  children: ComponentChildren;
  /** Takes the focus, so that it is read once, and in its place. */
  focused?: boolean;
}

export function Banner({ tone, icon = icons[tone], children, focused }: Props) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (focused) element.current?.focus();
  }, [focused]);
  const said = !focused && (tone === "good" || tone === "info");
  return (
    <div class={`banner ${tone}`} role={said ? "status" : undefined} tabIndex={focused ? -1 : undefined} ref={element}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}
