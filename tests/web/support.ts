// The stand-in, Chromium, and one person in front of it.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import type { State } from "../../web/dev/stand-in/states.ts";
import { StandIn } from "../../web/dev/stand-in/server.ts";
import type { World } from "../../web/dev/stand-in/world.ts";

export { holdAxe, holdContrast, holdMail, holdWidth } from "./look.ts";

export const standIn = new StandIn();
export let address: string;
export let browser: Browser;

before(async () => {
  address = await standIn.listen();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM!, args: process.env.CHROMIUM_ARGUMENTS!.split(" ") });
});
after(async () => {
  await browser?.close();
  standIn.close();
});

export interface Made {
  id: string;
  hash: string;
  url: string;
}

/** A world in one of the states, with what is changed in it. */
export async function make(state: string, change: { client?: object; user?: object; session?: object } = {}): Promise<Made> {
  const response = await fetch(`${address}/dev/worlds`, { method: "POST", body: JSON.stringify({ state, ...change }) });
  return (await response.json()) as Made;
}

export const worldOf = ({ id }: Made): World => standIn.worlds.get(id)!;

/** Moves a world on: its clock, its phone, what the next requests meet. */
export const move = ({ id }: Made, change: object) => fetch(`${address}/dev/worlds/${id}`, { method: "POST", body: JSON.stringify(change) });

/** The code that the user's app shows. */
export async function appCode({ id }: Made): Promise<string> {
  const { apps } = (await (await fetch(`${address}/dev/worlds/${id}`)).json()) as { apps: { code: string }[] };
  return apps.at(-1)!.code;
}

export const lastMessage = (made: Made) => worldOf(made).messages.at(-1)!;

/** What was asked of the service, without the looks at the state. */
export const asked = (made: Made): string[] =>
  worldOf(made)
    .requests.filter(({ path }) => path !== "/state")
    .map(({ method, path }) => `${method} ${path}`);

export interface Visit {
  context: BrowserContext;
  page: Page;
}

/** Milliseconds for anything to appear. */
const PATIENCE = 10_000;

/** A refusal is an answer, and a lost connection is the network's: the browser writes both to its console. */
const isAnswer = (text: string) => /the server responded with a status of \d{3}|net::ERR_(?:INTERNET_DISCONNECTED|CONTENT_LENGTH_MISMATCH)/.test(text);

/**
 * A browser of its own in front of the page. Whatever happens there, the page reports nothing to the console, breaks no
 * rule of its policy, and asks nobody but the service.
 */
export async function visit(options: BrowserContextOptions, look: (visit: Visit) => Promise<void>) {
  const { context, complaints } = await observed(options);
  try {
    await look({ context, page: await context.newPage() });
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** A browser of its own, and all that it complains of. */
export async function observed(options: BrowserContextOptions) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  context.on("console", (message) => ["error", "warning"].includes(message.type()) && !isAnswer(message.text()) && complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("request", (request) => {
    if (!/^(?:http:\/\/localhost:\d+\/|data:|blob:)/.test(request.url())) complaints.push(`a request to ${request.url()}`);
  });
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`)));
  return { context, complaints };
}

/** Opens the page of a new world and hands both over. */
export async function opened(
  state: string,
  look: (visit: Visit & { made: Made }) => Promise<void>,
  { change, ...options }: BrowserContextOptions & { change?: Parameters<typeof make>[1] } = {},
) {
  const made = await make(state, change);
  await visit(options, async ({ context, page }) => {
    await page.goto(made.url);
    await page.locator(".screen").waitFor();
    await look({ context, page, made });
  });
}

/** Opens a state by its name, and waits until what is done there was done. */
export async function openState(page: Page, { name }: State, locale = "en", more = "") {
  await page.goto(`${address}/dev/state/${name}?locale=${locale}${more}`, { waitUntil: "commit" });
  await page.locator("html[data-driven=done]").waitFor({ state: "attached" });
}

export const heading = (page: Page): Locator => page.locator("h1");
export const button = (page: Page, name: string): Locator => page.locator(`[name="${name}"]`);
export const code = (page: Page): Locator => page.locator("input[name=code]");
export const fieldError = (page: Page): Locator => page.locator(".field .error");

export async function type(page: Page, text: string) {
  await code(page).fill(text);
  await page.keyboard.press("Enter");
}

/** Where the browser came back to. */
export async function returned(page: Page): Promise<URLSearchParams> {
  await page.waitForURL(/\/dev\/returned/);
  return new URL(page.url()).searchParams;
}

/** Another theme, and what follows it: the brand's colour a moment later. */
export async function wear(page: Page, colorScheme: "light" | "dark") {
  await page.emulateMedia({ colorScheme });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** What the element with the focus is called, and whether it is seen to have it. */
export const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      name: element.getAttribute("name") ?? element.tagName.toLowerCase(),
      text: element.textContent!.trim(),
      outlined: outlineStyle === "solid" && parseFloat(outlineWidth) >= 3,
    };
  });

/** What the stand-in learns a moment after the page has asked for it. */
export async function waitFor<Value>(look: () => Value): Promise<NonNullable<Value>> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; ) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("It did not come.");
}
