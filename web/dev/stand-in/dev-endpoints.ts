// /dev: worlds are made, looked at and moved on; each state of the page is opened by its name.
import { readFileSync } from "node:fs";
import { answerEmails } from "../emails/preview.ts";
import { totpCode } from "./rules.ts";
import { groups, type State } from "./states.ts";
import type { Answer, StandIn } from "./server.ts";
import { createWorld, now, type Fault, type World } from "./world.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const html = (body: string): Answer => ({ status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body });

export const states = (): State[] => Object.values(groups).flat();

function create(standIn: StandIn, state: State | undefined, change: { client?: object; user?: object; session?: object } = {}): World {
  const world = createWorld(new URL(standIn.address).host);
  state?.set?.(world);
  Object.assign(world.client, change.client);
  Object.assign(world.session, change.session);
  Object.assign(world.user, change.user);
  standIn.worlds.set(world.session.id, world);
  return world;
}

function entrance(world: World, state: State | undefined): string {
  const { session, link } = world;
  switch (state?.entrance) {
    case "link":
      return `${link.kind}.${link.secret}`;
    case "nothing":
      return "";
    case "other-browser":
      session.browser = "somebody else's";
      return `${session.id}.${session.secret}`;
    case undefined:
      return `${session.id}.${session.secret}`;
  }
}

export async function answerDev(standIn: StandIn, method: string, url: URL, text: string): Promise<Answer> {
  const [, , place = "", name = ""] = url.pathname.split("/");
  if (place === "drive.js") return { status: 200, headers: { "Content-Type": "text/javascript; charset=utf-8" }, body: read("drive.js") };
  if (place === "returned") return html(`<!doctype html><title>Meadow</title><h1>Back in Meadow</h1><pre>${url.search.replaceAll("<", "&lt;")}</pre>`);
  if (place === "emails") return answerEmails(url);
  if (place === "worlds") return method === "POST" && name === "" ? made(standIn, text) : moved(standIn, method, name, text);
  if (place === "state") {
    const state = states().find((one) => one.name === name);
    if (!state) return { status: 404, body: `There is no state ${name}.` };
    const { locale, colour } = Object.fromEntries(url.searchParams);
    const world = create(standIn, state, { session: { locale: locale ?? null }, client: colour ? { colour: `#${colour}` } : {} });
    return { status: 302, headers: { Location: `/dev/page/${name}?world=${world.session.id}#${entrance(world, state)}` }, body: "" };
  }
  if (place === "page") return page(standIn, name, url.searchParams.get("world"));
  return html(list());
}

/** The built page, with what a person does there done by a script before and after it. */
function page(standIn: StandIn, name: string, id: string | null): Answer {
  const { steps = [], stubs = [] } = states().find((one) => one.name === name)!;
  const world = standIn.worlds.get(id ?? "");
  const known = world ? steps.map((step) => ("text" in step ? { ...step, text: textOf(world, step.text) } : step)) : steps;
  const data = JSON.stringify({ steps: known, stubs }).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const driver = `<script src="/dev/drive.js" data-play="${data}"></script>`;
  const headers = JSON.parse(read("../../headers.json")) as Record<string, Record<string, string>>;
  return {
    status: 200,
    headers: { ...headers["/session"], "Content-Type": "text/html; charset=utf-8" },
    body: read("../../dist/session.html").replace("<script", `${driver}<script`),
  };
}

/** Codes that are known to the world only. */
function textOf(world: World, text: string): string {
  const apps = world.user.ways.filter(({ type, state }) => type === "totp" && state === "active");
  const codes = [...world.user.codes.entries()];
  switch (text) {
    case "@used": {
      apps[0]!.lastStep = Math.floor(now(world) / 30) + 1;
      return totpCode(apps[0]!, now(world));
    }
    case "@recovery":
      return codes.find(([, used]) => !used)![0];
    case "@recovery-used":
      return codes.find(([, used]) => used)![0];
    default:
      return text;
  }
}

function made(standIn: StandIn, text: string): Answer {
  const { state, ...change } = JSON.parse(text || "{}") as { state?: string; client?: object; user?: object; session?: object };
  const found = states().find(({ name }) => name === state);
  const world = create(standIn, found, change);
  return { status: 201, body: { id: world.session.id, hash: entrance(world, found), url: `${standIn.address}/session#${entrance(world, found)}` } };
}

interface Move {
  /** Seconds. */
  advance?: number;
  push?: "approved" | "denied";
  /** The phone proves its key. */
  phone?: boolean;
  faults?: Fault[];
  client?: object;
  user?: object;
  session?: object;
}

function moved(standIn: StandIn, method: string, id: string, text: string): Answer {
  const world = standIn.worlds.get(id);
  if (!world) return { status: 404, body: "There is no such world." };
  if (method === "POST") move(world, JSON.parse(text) as Move);
  const { user, session, messages, requests, link } = world;
  const apps = user.ways.filter(({ type }) => type === "totp").map((way) => ({ ...way, code: totpCode(way, now(world)) }));
  return { status: 200, body: { now: now(world), apps, user: { ...user, codes: [...user.codes] }, session, messages, requests, link } };
}

function move(world: World, { advance = 0, push, phone, faults = [], client, user, session }: Move) {
  world.ahead += advance;
  world.faults.push(...faults);
  Object.assign(world.client, client);
  Object.assign(world.user, user);
  Object.assign(world.session, session);
  if (push && world.session.push) world.session.push.status = push;
  const pending = world.user.ways.find(({ type, state }) => type === "push" && state === "pending");
  if (phone && pending) {
    pending.state = "active";
    pending.name = "Pixel";
    world.user.on = true;
    if (world.user.codes.size === 0) world.session.shown = [...Array(10)].map((_, index) => `CODE-${index}`);
  }
}

function list(): string {
  const item = ({ name }: State) => `<li>${name}: ${["en", "es"].map((locale) => `<a href="/dev/state/${name}?locale=${locale}">${locale}</a>`).join(" · ")}</li>`;
  const sections = Object.entries(groups).map(([title, members]) => `<h2>${title}</h2><ul>${members.map(item).join("")}</ul>`);
  return `<!doctype html><meta name="viewport" content="width=device-width"><title>States of the hosted page</title><h1>States of the hosted page</h1><p><a href="/dev/emails">E-mails</a>. Add <code>&amp;colour=ffd400</code> to an address for a brand's colour.</p>${sections.join("")}`;
}
