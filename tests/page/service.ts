// The native program with the real page in it, an application that uses it, and one person in a browser.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { generateSync } from "otplib";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

interface Started {
  url: string;
  inbox: string;
  client_id: string;
  client_secret: string;
  admin_token: string;
}

export let service: Started;
export let returnUrl: string;
let browser: Browser;
let program: ChildProcess;
let application: Server;
let token: string;
const folder = mkdtempSync(join(tmpdir(), "candado-page-"));

before(async () => {
  application = createServer((_, response) => response.end("<title>Shop</title>")).listen(0, "127.0.0.1");
  await new Promise((resolve) => application.once("listening", resolve));
  returnUrl = `http://localhost:${(application.address() as AddressInfo).port}/done`;
  service = await start();
  await ask("PATCH", `/admin/clients/${service.client_id}`, service.admin_token, {
    settings: { return_urls: [returnUrl], recovery_return_url: returnUrl, brand: { name: "Meadow", colour: "#1f6f4a" }, remember_days: 30 },
  });
  token = await newToken();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM!, args: process.env.CHROMIUM_ARGUMENTS!.split(" ") });
});

after(async () => {
  await browser?.close();
  application?.close();
  program?.kill("SIGTERM");
  await new Promise((resolve) => program?.once("close", resolve));
  rmSync(folder, { recursive: true });
});

/** Whatever port is free; its first line says where it is. */
async function start(): Promise<Started> {
  program = spawn(process.env.CANDADO!, ["dev", "--json", "--port", "0", "--inbox-port", "0", "--folder", folder], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface(program.stdout!)) return JSON.parse(line) as Started;
  throw new Error("the program ended without a word");
}

export async function ask(method: string, path: string, bearer: string | null, body?: object) {
  const headers = { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
  const response = await fetch(`${service.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  const answer = (text === "" ? {} : JSON.parse(text)) as Record<string, any>;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

const newToken = async () => {
  const { client_id, client_secret } = service;
  return (await ask("POST", "/auth", null, { client_id, client_secret })).access_token as string;
};

/** A request of the application. */
export const post = (path: string, body: object) => ask("POST", path, token, body);

export const status = (user: string) => ask("GET", `/mfa/status?user_id=${user}`, token);

let users = 0;
export const newUser = () => `user-${++users}`;

/** A user with an app, a phone and an address. */
export async function enrolled() {
  const user = newUser();
  const contact = { phone: `+3460011${String(1000 + users)}`, email: `${user}@example.com` };
  const { secret } = await post("/mfa/register", { user_id: user, confirm: false, ...contact });
  return { user, secret: secret as string };
}

export const totp = (secret: string, at = Date.now() / 1000) => generateSync({ secret, epoch: Math.floor(at) });

/** The text of the last message to a user's address. */
export async function lastMail(user: string) {
  const messages = (await (await fetch(`${service.inbox}/messages?channel=email`)).json()) as { to: string; subject: string; text: string; html: string }[];
  return messages.filter(({ to }) => to.includes(`${user}@`)).at(-1)!;
}

/** Begins a session, and gives its address. */
export async function begin(user: string, purpose: string, more: object = {}) {
  const { url } = await post("/mfa/sessions", { user_id: user, purpose, return_url: returnUrl, state: "s-123", account_name: user, ...more });
  return url as string;
}

/** A browser of its own in front of the page. It reports nothing to the console and asks nobody but the service. */
export async function visit(look: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  context.on("console", (message) => ["error", "warning"].includes(message.type()) && !/status of \d{3}/.test(message.text()) && complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("request", (request) => {
    const ours = [service.url, new URL(returnUrl).origin, "data:", "blob:"];
    if (!ours.some((beginning) => request.url().startsWith(beginning))) complaints.push(`a request to ${request.url()}`);
  });
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`)));
  try {
    await look(await context.newPage());
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  } finally {
    await context.close();
  }
}

/** Where the browser came back to, and what the application is then told. */
export async function result(page: Page) {
  await page.waitForURL((url) => url.href.startsWith(returnUrl));
  const back = new URL(page.url()).searchParams;
  if (back.get("state") !== "s-123") throw new Error(page.url());
  return post("/mfa/sessions/result", { code: back.get("code") });
}

/** Keeps a picture, where somebody wants to look. */
export async function picture(page: Page, name: string) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `page-${name}.png`) });
}

export const heading = (page: Page) => page.locator("h1");
export const button = (page: Page, name: string) => page.locator(`[name="${name}"]`);

export async function type(page: Page, text: string) {
  await page.locator("input[name=code]").fill(text);
  await page.keyboard.press("Enter");
}
