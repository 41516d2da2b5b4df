// Every state by its name, in both languages, wide and narrow, light and dark. With PICTURES, the name of a folder, each
// is also opened on a phone of its own, and what was seen is kept.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { states } from "../../web/dev/stand-in/dev-endpoints.ts";
import type { State } from "../../web/dev/stand-in/states.ts";
import { holdAxe, holdContrast, holdWidth, openState, visit } from "./support.ts";

const { PICTURES } = process.env;
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

const AT_ONCE = 3;
const sizes = { wide: { width: 1280, height: 900 }, phone: { width: 360, height: 740 }, zoomed: { width: 320, height: 256 } };
type Size = keyof typeof sizes;

/** Where the page shows something else on a phone than on a narrow window. */
const differsOnPhones = ({ name }: State) => /^(?:enrol-app|enrol-phone|verify-phone)/.test(name);

async function look(state: State, locale: string, size: Size) {
  const options = { viewport: sizes[size], locale: locale === "es" ? "es-ES" : "en-GB", reducedMotion: "reduce" as const };
  await visit(options, async ({ page }) => {
    await openState(page, state, locale);
    const where = `${state.name}, ${locale}, ${size}`;
    const seen = async (colorScheme: "light" | "dark") => {
      await page.emulateMedia({ colorScheme });
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `${state.name}.${locale}.${size}.${colorScheme}.png`), fullPage: true });
    };
    assert.equal(await page.locator("html").getAttribute("lang"), locale, where);
    if (state.name !== "loading") assert.match(await page.title(), / · (?:Meadow|.*مرج.*)$|^(?:This (?:link|page)|Est[ae])/, where);
    await seen("light");
    await holdAxe(page, where);
    await holdWidth(page, where);
    await seen("dark");
    await holdContrast(page, `${where}, dark`);
    await page.setViewportSize(sizes.phone);
    await holdWidth(page, `${where}, 360 pixels`);
    // What a window of 1280 pixels is at 400 %.
    await page.setViewportSize(sizes.zoomed);
    await holdWidth(page, `${where}, at 400 %`);
  });
}

const languages = ["en", "es"];

test("every state is accessible, fits the screen and breaks no rule of the policy", { concurrency: AT_ONCE }, async (context) => {
  const all = states().flatMap((state) =>
    languages.flatMap((locale) => {
      const seen: [State, string, Size][] = [[state, locale, "wide"]];
      if (PICTURES || differsOnPhones(state)) seen.push([state, locale, "phone"]);
      return seen;
    }),
  );
  assert.ok(all.length > 270);
  await Promise.all(all.map(([state, locale, size]) => context.test(`${state.name}, ${locale}, ${size}`, () => look(state, locale, size))));
});

test("no state is named twice", () => {
  const names = states().map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});
