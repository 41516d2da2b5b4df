// What is held of any page that is looked at.
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

/** Reading axe takes longer than what it does: once for each document, and in no frames, since there are none. */
async function hold(page: Page, where: string, rules?: string[]) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate(async (only) => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run({ ...(only && { runOnly: only }), resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  }, rules);
  assert.deepEqual(found, [], where);
}

export const holdAxe = (page: Page, where: string) => hold(page, where);

/** A mail is no page: it has no landmarks, which the mailbox around it has. */
export const holdMail = (page: Page, where: string) => hold(page, where, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);

/** What another theme can change. */
export const holdContrast = (page: Page, where: string) => hold(page, where, ["color-contrast"]);

/** Nothing is wider than the screen. */
export async function holdWidth(page: Page, where: string) {
  const [wide, width] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide! <= width!, `${where}: ${wide} pixels on ${width}`);
}
