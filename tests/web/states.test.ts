// Every state by its name, in both languages, wide and narrow, light and dark. With PICTURES, the name of a folder, each
// is also opened on a phone of its own, and what was seen is kept.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { states } from "../../web/dev/stand-in/dev-endpoints.ts";
import type { State } from "../../web/dev/stand-in/states.ts";
import { holdAxe, holdContrast, holdWidth, observed, openState, wear } from "./support.ts";

const { PICTURES } = process.env;
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

/** Browsers that look at the same time, for each language. */
const AT_ONCE = 2;
const sizes = { wide: { width: 1280, height: 900 }, phone: { width: 360, height: 740 }, zoomed: { width: 320, height: 256 } };
type Size = keyof typeof sizes;

interface Look {
  state: State;
  locale: "en" | "es";
  size: Size;
}

/** Where the page shows something else on a phone than on a narrow window. */
const differsOnPhones = ({ name }: State) => /^(?:enrol-app|enrol-phone|verify-phone)/.test(name);

async function look(page: Page, { state, locale, size }: Look) {
  const where = `${state.name}, ${locale}, ${size}`;
  await page.setViewportSize(sizes[size]);
  await page.emulateMedia({ colorScheme: "light" });
  await openState(page, state, locale);
  const seen = async (theme: "light" | "dark") => {
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${state.name}.${locale}.${size}.${theme}.png`), fullPage: true });
  };
  assert.equal(await page.locator("html").getAttribute("lang"), locale, where);
  if (state.name !== "loading") assert.match(await page.title(), / · (?:Meadow|.*مرج.*)$|^(?:This (?:link|page)|Est[ae])/, where);
  await seen("light");
  // Another language changes words and widths, and neither the structure nor the colours.
  const first = locale === "en";
  if (first) await holdAxe(page, where);
  await holdWidth(page, where);
  await wear(page, "dark");
  await seen("dark");
  if (first) await holdContrast(page, `${where}, dark`);
  await page.setViewportSize(sizes.phone);
  await holdWidth(page, `${where}, 360 pixels`);
  // What a window of 1280 pixels is at 400 %.
  await page.setViewportSize(sizes.zoomed);
  await holdWidth(page, `${where}, at 400 %`);
}

const looks = (["en", "es"] as const).flatMap((locale) =>
  states().flatMap((state) => (PICTURES || differsOnPhones(state) ? (["wide", "phone"] as const) : (["wide"] as const)).map((size): Look => ({ state, locale, size }))),
);

test("every state is accessible, fits the screen and breaks no rule of the policy", { concurrency: 2 * AT_ONCE }, async (context) => {
  assert.ok(looks.length > 270);
  // A browser goes from one state to the next as from one person to another: it keeps nothing.
  const person = async (waiting: Look[], locale: string) => {
    const { context: own, complaints } = await observed({ locale, reducedMotion: "reduce" });
    try {
      const page = await own.newPage();
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const { state, locale, size } = one;
        await context.test(`${state.name}, ${locale}, ${size}`, async () => {
          try {
            await look(page, one);
            assert.deepEqual(complaints.splice(0), []);
          } finally {
            await own.clearCookies();
          }
        });
      }
    } finally {
      await own.close();
    }
  };
  const english = looks.filter(({ locale }) => locale === "en");
  const spanish = looks.filter(({ locale }) => locale === "es");
  const people = Array.from({ length: AT_ONCE }, () => [person(english, "en-GB"), person(spanish, "es-ES")]);
  await Promise.all(people.flat());
});

test("no state is named twice", () => {
  const names = states().map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});
