// Light, dark, or as the system has it. The style sheet asks the system; a choice answers in its place.

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const ASKS = "(prefers-color-scheme: dark)";
let asking: CSSMediaRule[] | null = null;

export function wear(theme: Theme) {
  asking ??= [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule instanceof CSSMediaRule && rule.media.mediaText.includes("prefers-color-scheme: dark")) as CSSMediaRule[];
  for (const rule of asking) rule.media.mediaText = theme === "system" ? ASKS : theme === "dark" ? "all" : "not all";
  document.documentElement.style.colorScheme = theme === "system" ? "" : theme;
}
