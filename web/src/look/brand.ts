// The brand's colour on the page: by the object model of style sheets, so that the policy needs no inline style.
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { accentOf, type Theme } from "./colour.ts";

const properties = ["--accent", "--on-accent", "--accent-hover", "--accent-text", "--accent-edge", "--hover-line"] as const;

export function useBrandColour(element: RefObject<HTMLElement | null>, colour: string | null) {
  useLayoutEffect(() => {
    const { style } = element.current!;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const theme: Theme = dark.matches ? "dark" : "light";
      const accent = colour === null ? null : accentOf(colour, theme);
      if (!accent) return properties.forEach((name) => style.removeProperty(name));
      style.setProperty("--accent", accent.accent);
      style.setProperty("--on-accent", accent.onAccent);
      style.setProperty("--accent-hover", accent.hover);
      style.setProperty("--accent-text", accent.accentText);
      style.setProperty("--accent-edge", accent.needsBorder ? "var(--edge)" : "transparent");
      style.setProperty("--hover-line", accent.hoverUnderlines ? "underline" : "none");
    };
    apply();
    dark.addEventListener("change", apply);
    return () => dark.removeEventListener("change", apply);
  }, [colour]);
}
