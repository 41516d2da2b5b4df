import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { accentOf, contrast, surfaces, type Theme } from "../../../web/src/look/colour.ts";

const themes: Theme[] = ["light", "dark"];
const parts = Array.from({ length: 18 }, (_, index) => index * 15);
const hex = (...rgb: number[]) => `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

test("every brand colour is readable in both themes: 5,832 of them", () => {
  let count = 0;
  for (const theme of themes) {
    for (const red of parts) {
      for (const green of parts) {
        for (const blue of parts) {
          count += 1;
          const brand = hex(red, green, blue);
          const { accent, onAccent, hover, hoverUnderlines, needsBorder, accentText } = accentOf(brand, theme)!;
          const where = `${brand} in ${theme}`;
          assert.equal(accent, brand, "the fill is the brand's colour, unchanged");
          assert.ok(contrast(accent, onAccent) >= 4.5, `${where}: text on the fill`);
          assert.ok(contrast(hover, onAccent) >= 4.5, `${where}: text on the fill under the pointer`);
          for (const surface of Object.values(surfaces[theme])) assert.ok(contrast(accentText, surface) >= 4.5, `${where}: text on ${surface}`);
          assert.equal(needsBorder, contrast(accent, surfaces[theme].card) < 3, where);
          assert.equal(hoverUnderlines, hover === accent, where);
        }
      }
    }
  }
  assert.equal(count, 2 * 5832);
});

test("a colour that was readable before stays as it is", () => {
  assert.equal(accentOf("#0f766e", "light")!.accentText, "#0f766e");
  assert.equal(accentOf("#FFD400", "dark")!.accentText, "#ffd400");
});

test("nothing but #rrggbb reaches a style sheet", () => {
  for (const text of ["#fff", "red", "#12345g", "#1234567", " #123456", "#123456;background:url(//evil)", "url(x)", ""]) {
    assert.equal(accentOf(text, "light"), null, text);
  }
});

const styles = readFileSync(new URL("../../../web/src/look/tokens.css", import.meta.url), "utf8");
const [light, dark] = styles.split("@media (prefers-color-scheme: dark)") as [string, string];

/** The value of a token; the dark theme keeps the light one's where it says nothing. */
function token(theme: Theme, name: string): string {
  const find = (text: string) => text.match(new RegExp(`--${name}: (#[0-9a-f]{6});`))?.[1];
  return (theme === "dark" ? find(dark) : undefined) ?? find(light)!;
}

test("the surfaces of the style sheet are those that colours are measured on", () => {
  for (const theme of themes) for (const [name, value] of Object.entries(surfaces[theme])) assert.equal(token(theme, name), value, `${theme} ${name}`);
});

test("every pair of tokens that text is set in contrasts 4.5 to 1, and borders of controls 3 to 1", () => {
  for (const theme of themes) {
    const ratio = (text: string, surface: string) => contrast(token(theme, text), token(theme, surface));
    for (const surface of ["card", "page", "sunken"]) {
      for (const text of ["ink", "soft", "accent-text"]) assert.ok(ratio(text, surface) >= 4.5, `${theme}: ${text} on ${surface}`);
      assert.ok(ratio("edge", surface) >= 3, `${theme}: edge on ${surface}`);
    }
    for (const tone of ["good", "warn", "bad", "info"]) assert.ok(ratio(tone, `${tone}-back`) >= 4.5, `${theme}: ${tone}`);
    assert.ok(ratio("bad", "card") >= 4.5 && ratio("on-danger", "danger") >= 4.5 && ratio("on-danger", "danger-hover") >= 4.5, theme);
    assert.ok(ratio("on-accent", "accent") >= 4.5 && ratio("on-accent", "accent-hover") >= 4.5, theme);
  }
});
