// Every e-mail as a mail program shows it, under a policy that loads nothing. With PICTURES, what was seen is kept.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mails, themes } from "../../web/dev/emails/preview.ts";
import { contrast } from "../../web/src/look/colour.ts";
import { address, holdMail, holdWidth, observed } from "./support.ts";

const { PICTURES } = process.env;
if (PICTURES) mkdirSync(PICTURES, { recursive: true });

/** Gmail cuts longer ones off. Bytes. */
const CUT_OFF = 102_000;

test("every mail is accessible and fits, in both languages, light and dark, and asks for nothing", async (context) => {
  const { context: own, complaints } = await observed({});
  const page = await own.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  for (const name of mails) {
    for (const language of ["en", "es"]) {
      await context.test(`${name}, ${language}`, async () => {
        for (const theme of themes) {
          requests.splice(0);
          await page.setViewportSize({ width: 640, height: 700 });
          const response = await page.goto(`${address}/dev/emails/${name}/${language}/${theme}`);
          assert.ok((await response!.body()).length < CUT_OFF / 4);
          const where = `${name}, ${language}, ${theme}`;
          if (PICTURES) await page.screenshot({ path: join(PICTURES, `mail-${name}.${language}.${theme}.png`), fullPage: true });
          // Colours are computed before a filter turns them, so there is nothing to hold to in an inverted one.
          if (theme !== "inverted") await holdMail(page, where);
          for (const width of [360, 320]) {
            await page.setViewportSize({ width, height: 700 });
            await holdWidth(page, `${where}, ${width}`);
          }
          assert.deepEqual(requests, [`/dev/emails/${name}/${language}/${theme}`]);
        }
        assert.deepEqual(complaints.splice(0), []);
      });
    }
  }
  await own.close();
});

for (const colour of ["ffd400", "000000", "ffffff", "767676"]) {
  test(`the button in #${colour} is readable, and is seen on the card of both themes`, async () => {
    const { context: own } = await observed({});
    const page = await own.newPage();
    for (const theme of ["light", "dark"]) {
      await page.goto(`${address}/dev/emails/recovery_link/en/${theme}?colour=${colour}`);
      const { fill, text, edge, card } = await page.evaluate(() => {
        const hex = (value: string) => `#${value.match(/\d+/g)!.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
        const button = [...document.querySelectorAll("a")].find(({ href }) => href.includes("#recover"))!;
        const cell = getComputedStyle(button.parentElement!);
        return {
          fill: hex(cell.backgroundColor),
          edge: hex(cell.borderTopColor),
          text: hex(getComputedStyle(button).color),
          card: hex(getComputedStyle(document.querySelector(".card")!).backgroundColor),
        };
      });
      assert.equal(fill, `#${colour}`);
      assert.ok(contrast(fill, text) >= 4.5);
      assert.ok(Math.max(contrast(fill, card), contrast(edge, card)) >= 3, `${theme}: ${edge} on ${card}`);
    }
    await own.close();
  });
}
