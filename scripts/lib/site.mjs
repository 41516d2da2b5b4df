// The site in public/, which the Worker serves beside its routes: the guides, the API reference, openapi.json, the
// hosted page and the console.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { scalarBundle } from "./scalar.mjs";
import { root } from "./steps.mjs";
import { currentWeb, webOutput } from "./web.mjs";

const output = join(root, "public");
const site = (name) => readFileSync(join(root, "docs", "site", name));

const groups = [
  ["Build it in", [
    ["quick-start", "From a fresh clone to a first verified code."],
    ["hosted-page", "MFA in twenty lines: a page of Candado's, and no screen of your own."],
    ["enrol", "Turn MFA on for a user: QR code, first code, recovery codes."],
    ["log-in", "Ask for a code after the password, and act on every answer."],
    ["passkeys", "Let users log in by a passkey or a security key."],
    ["several-devices", "Several apps and passkeys for one user: list, add, rename, remove."],
    ["remember-browsers", "Ask for a second factor once, and not again in that browser for some days."],
    ["trust-a-result", "Show a success to another service, which verifies it by itself."],
    ["recover", "Let a user back in who has lost the phone."],
    ["api-keys", "Keys in the place of tokens, limited to what a program is for."],
    ["webhooks", "Be told of locks, recoveries and changed factors as they happen, by signed requests."],
    ["notices", "E-mails to your users when a way to sign in was added or removed."],
    ["move-to-candado", "Bring your users along from Keycloak, Auth0, privacyIDEA and others."],
    ["test-your-integration", "Hours of a login in seconds: a client that sends nothing and whose clock you set."],
    ["move-from-pyotp", "Keep your users' authenticator apps when you move to Candado."],
  ]],
  ["Look it up", [
    ["errors", "Every error code: what happened, and what to do."],
    ["limits", "How long things last, how often they may be tried, what can be set."],
  ]],
  ["Run it", [
    ["going-live", "Deploy to Cloudflare, make a client, go through the checklist."],
    ["console", "Clients, users and the record in a browser."],
    ["command-line", "Clients, keys, users and the record from a terminal."],
    ["providers", "Twilio, SendGrid, WhatsApp, calls, your own gateway: set up, and who is tried next."],
    ["run-it-yourself", "One program on your own machine, on SQLite."],
    ["postgresql", "Several programs on one PostgreSQL: set up, fail over, move."],
    ["gateway", "nginx, Caddy or an API gateway: routes, limits, headers, upgrades."],
    ["kubernetes", "Kubernetes and Compose: files to begin with."],
    ["monitoring", "Metrics, a dashboard, alerts, log lines and traces."],
    ["statistics", "Logins, messages and providers in numbers, by the day or by five minutes."],
  ]],
];

// The addresses in these stay as they are written where the service is not the one that the guide lets its reader start.
const service = { "quick-start": "local", "run-it-yourself": "other", postgresql: "other", gateway: "other", kubernetes: "other", monitoring: "other", statistics: "other" };

/** Assembles it; the guides name `inbox` where there is one: `npm start` has it, a deployment has none. */
export async function assembleSite({ inbox = null } = {}) {
  // The packages may have been installed a moment ago.
  const { markdown } = await import("./markdown.mjs");
  const document = readFileSync(join(root, "docs", "openapi.json"));
  const operations = operationsOf(JSON.parse(document));
  const render = await markdown(linkOf(operations));
  const guides = groups.flatMap(([, members]) => members).map(([name, summary]) => ({ name, summary, ...render(guide(name), name) }));

  await currentWeb();
  const page = (name) => readFileSync(join(webOutput, name));
  const pageFiles = readdirSync(webOutput, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "_headers")
    .map((entry) => relative(webOutput, join(entry.parentPath, entry.name)));
  const files = new Map([
    ["_headers", `${site("_headers")}\n${page("_headers")}`],
    ...pageFiles.map((name) => [name, page(name)]),
    ["openapi.json", document],
    ["index.html", fill("index.html", { header: header(), cards: cards(guides) })],
    ["docs.html", fill("reference.html", { header: header("reference") })],
    ["docs/404.html", fill("404.html", { header: header(), list: navigation(guides) })],
    ["docs/assets/scalar.js", readFileSync(await scalarBundle())],
    ["docs/assets/search.js", await searchProgram()],
    ["docs/assets/search.json", await searchIndex(guides, operations)],
    ...["base.css", "guide.css", "reference.css", "page.js", "reference.js", "icon.svg", "scalar.LICENSE.txt"].map((name) => [`docs/assets/${name}`, site(name)]),
  ]);
  guides.forEach((page, index) => files.set(`docs/${page.name}.html`, guidePage(guides, page, index)));
  files.set("docs/assets/local.json", JSON.stringify({ inbox }));
  write(files);
}

const guide = (name) => readFileSync(join(root, "docs", "guides", `${name}.md`), "utf8");

const fill = (template, values) => site(template).toString().replace(/\{\{(\w+)\}\}/g, (_, name) => values[name]);

const link = (href, text, current) => `<a href="${href}"${current ? ' aria-current="page"' : ""}>${text}</a>`;

const header = (current) =>
  fill("header.html", {
    guides: link("/docs/quick-start", "Guides", current === "guides"),
    reference: link("/docs", 'API<span class="wide"> reference</span>', current === "reference"),
  });

function guidePage(guides, page, index) {
  const [previous, next] = [guides[index - 1], guides[index + 1]];
  const neighbour = (rel, title, { name, title: text }) => `<a rel="${rel}" href="/docs/${name}"><span>${title}</span> ${text}</a>`;
  const contents = page.headings.map(({ id, depth, html }) => `<li class="depth-${depth}"><a href="#${id}">${html}</a></li>`);
  return fill("guide.html", {
    title: page.title,
    summary: page.summary,
    header: header("guides"),
    guides: navigation(guides, page.name),
    service: service[page.name] ?? "this",
    content: page.html,
    contents: contents.join("\n"),
    neighbours: (previous ? neighbour("prev", "Previous", previous) : "") + (next ? neighbour("next", "Next", next) : ""),
  });
}

function navigation(guides, current) {
  const item = ([name]) => `<li>${link(`/docs/${name}`, guides.find((other) => other.name === name).title, name === current)}</li>`;
  return groups.map(([title, members]) => `<p>${title}</p>\n<ul>\n${members.map(item).join("\n")}\n</ul>`).join("\n");
}

function cards(guides) {
  const card = ([name, summary]) => `<li><a href="/docs/${name}">${guides.find((other) => other.name === name).title}</a><p>${summary}</p></li>`;
  return groups.map(([title, members]) => `<h2>${title}</h2>\n<ul class="cards">\n${members.map(card).join("\n")}\n</ul>`).join("\n");
}

/** Each operation of the reference: how guides name it, and where it is. */
function operationsOf({ paths }) {
  const slug = (text) => text.toLowerCase().replace(/\s+/g, "-");
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { tags: [tag], summary, description = "" }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      url: `/docs#tag/${slug(tag)}/${method.toUpperCase()}${path}`,
      text: `${summary}. ${description}`,
    })),
  );
}

/** In a guide the names of operations lead into the reference, and error codes to the guide that explains them. */
function linkOf(operations) {
  const errors = new Set([...guide("errors").matchAll(/^### `(\w+)`$/gm)].map(([, code]) => code));
  return (text, page) => {
    const operation = operations.find(({ name }) => name === text.replace(/\?.*/, ""));
    if (operation) return operation.url;
    const code = text.match(page === "errors" ? /^(?:\d{3} )?(\w+)$/ : /^\d{3} (\w+)$/)?.[1];
    return errors.has(code) ? `/docs/errors#${code}` : undefined;
  };
}

async function searchIndex(guides, operations) {
  const { default: MiniSearch } = await import("minisearch");
  const { options } = await import("../../docs/site/search-options.js");
  const sections = guides.flatMap(({ name, title, sections }) =>
    sections.map((section) => ({
      url: `/docs/${name}${section.id && `#${section.id}`}`,
      page: title,
      title: section.title,
      text: section.text,
    })),
  );
  const reference = operations.map(({ name, url, text }) => ({ url, page: "API reference", title: name, text }));
  const index = new MiniSearch(options);
  // What is shown of a section is its beginning; all of it is found.
  index.addAll([...sections, ...reference].map((entry, id) => ({ id, ...entry, excerpt: beginning(entry.text) })));
  return JSON.stringify(index);
}

const beginning = (text) => (text.length > 120 ? `${text.slice(0, 120).replace(/\s\S*$/, "")} …` : text);

async function searchProgram() {
  const { build } = await import("esbuild");
  const entry = join(root, "docs", "site", "search.js");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  return outputFiles[0].contents;
}

/** Writes what differs and removes what is not there any more, so that a running `wrangler dev` reloads only for a change. */
function write(files) {
  for (const [name, content] of files) {
    const path = join(output, name);
    if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !files.has(path.slice(output.length + 1).replaceAll("\\", "/"))) rmSync(path);
  }
}
