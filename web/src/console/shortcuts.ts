// Keys, outside of fields and dialogs only. Each does what something on the page does, too.
import { useLayoutEffect } from "preact/hooks";
import { href } from "./route.ts";

export const places = { o: "overview", c: "clients", u: "users", a: "audit", s: "system" } as const;

const press = (name: string) => document.querySelector<HTMLElement>(`[name="${name}"]`)?.click();

function step(by: 1 | -1) {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const now = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + by))]?.focus();
}

const acts: Record<string, () => void> = {
  "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
  f: () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
  r: () => press("reload"),
  j: () => step(1),
  k: () => step(-1),
  "[": () => press("newest"),
  "]": () => press("older"),
  "?": () => press("help"),
};

export function useShortcuts(on: boolean, go: (address: string) => void) {
  // With the page itself: a key pressed as soon as it is seen counts.
  useLayoutEffect(() => {
    if (!on) return;
    let leading = 0;
    const take = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.closest("input, select, textarea, dialog") ?? document.querySelector("dialog[open]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const place = places[event.key as keyof typeof places];
      if (place && Date.now() - leading < 1_500) go(href([place]));
      else if (event.key === "g") leading = Date.now();
      else if (Object.hasOwn(acts, event.key)) acts[event.key]!();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", take);
    return () => removeEventListener("keydown", take);
  }, [on]);
}
