// The frame of every page, and the parts that several pages share.
import { html, raw } from "hono/html";
import { inWords } from "../problems.mjs";

const drawings = {
  brand: '<path d="M12 21V11"/><path d="M12 15c-5 0-8-3-8-8 5 0 8 3 8 8Z"/><path d="M12 12c0-5 3-8 8-8 0 5-3 8-8 8Z"/>',
  app: '<rect x="6" y="2.5" width="12" height="19" rx="2.5"/><path d="m9.5 12 2 2 3.5-4"/>',
  passkey: '<circle cx="9" cy="8" r="4"/><path d="M3 20c0-4 2.7-6 6-6 1.2 0 2.2.2 3.1.7"/><circle cx="17" cy="14" r="2.5"/><path d="M17 16.5V22l2-1.5"/>',
  sms: '<path d="M20 15a2 2 0 0 1-2 2H8.5L4 20.5V6a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2Z"/><path d="M8 10.5h.01M12 10.5h.01M16 10.5h.01"/>',
  email: '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m4 7 8 6 8-6"/>',
  codes: '<circle cx="8" cy="15" r="4.5"/><path d="m11.5 11.5 8-8M16 7l3 3"/>',
  shield: '<path d="M12 2.5 20 6v5.5c0 5-3.4 8.4-8 10-4.6-1.6-8-5-8-10V6Z"/><path d="m8.5 12 2.5 2.5 4.5-5"/>',
  lost: '<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.8h.01"/>',
  warning: '<path d="M12 4 2.5 20h19Z"/><path d="M12 10v4.5M12 17.3h.01"/>',
  done: '<circle cx="12" cy="12" r="9"/><path d="m8 12.5 2.7 2.7L16 9.5"/>',
};

export const icon = (name) =>
  raw(
    `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${drawings[name]}</svg>`,
  );

/** A page. `wide` pages are lists and articles, the others one small form. */
export function layout(c, { title, wide = false, lead }, ...content) {
  const { session, user } = c.var;
  const notice = session?.data.notice;
  if (notice) delete session.data.notice;
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Meadow</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/app.css">
    <script src="/app.js" defer></script>
    <script src="/passkeys.js" type="module"></script>
  </head>
  <body>
    <a class="skip" href="#content">Skip to the content</a>
    <header class="top">
      <a class="brand" href="/">${icon("brand")}Meadow</a>
      ${session?.stage === "signed-in" ? navigation(c.req.path) : ""}
      ${session && html`<form method="post" action="/logout"><button class="quiet">${session.stage === "signed-in" ? "Sign out" : "Cancel"}</button></form>`}
    </header>
    <main id="content" class="${wide ? "wide" : "narrow"}">
      ${notice ? html`<p class="notice good" role="status">${icon("done")}<span>${notice}</span></p>` : ""}
      <div class="${wide ? "" : "card"}">
        <h1>${title}</h1>
        ${lead ? html`<p class="lead">${lead}</p>` : ""}
        ${content}
      </div>
    </main>
    <footer>
      <p>An example application. Its second step is checked by Candado.</p>
    </footer>
  </body>
</html>`;
}

function navigation(path) {
  const links = [["/", "Home"], ["/security", "Security"]];
  return html`<nav aria-label="Main">${links.map(
    ([to, name]) => html`<a href="${to}" ${path === to ? raw('aria-current="page"') : ""}>${name}</a>`,
  )}</nav>`;
}

/** Above a form: what went wrong, with a countdown where waiting helps. */
export const problemBox = (problem) =>
  problem
    ? html`<div class="notice bad" role="alert" id="problem" ${problem.locked ? raw('data-locks=""') : ""}>${icon("warning")}<p>${problem.text}${problem.wait ? html` ${countdown(problem.wait)}` : ""}.</p></div>`
    : "";

/** Counts down where scripts run; says how long it was where they do not. */
const countdown = (seconds) => html`<strong role="timer" data-seconds="${seconds}">${inWords(seconds)}</strong>`;

/** A labelled input. Problems that waiting solves do not mark it as wrong. */
export function field({ label, name, problem, hint, autofocus, required = true, ...attributes }) {
  const about = [problem && "problem", hint && `${name}-hint`].filter(Boolean).join(" ");
  const given = { ...attributes, "aria-describedby": about || undefined, "aria-invalid": problem?.status < 429 ? "true" : undefined };
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <input id="${name}" name="${name}" ${Object.entries(given).map(([key, value]) => (value === undefined ? "" : html` ${raw(key)}="${value}"`))} ${required ? raw("required") : ""} ${autofocus ? raw("autofocus") : ""}>
    ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : ""}
  </div>`;
}

/** The input for a code of digits. Phones offer what came by SMS, browsers open the number pad. */
export const codeField = ({ digits = 6, label = `${digits === 8 ? "8" : "6"}-digit code`, sms = false, ...rest }) =>
  field({
    label,
    name: "code",
    class: "code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    pattern: `[\\s\\-]*(\\d[\\s\\-]*){${digits}}`,
    title: `${digits} digits`,
    maxlength: digits + 6,
    "data-sms": sms ? "" : undefined,
    ...rest,
  });

export const recoveryCodeField = (rest) =>
  field({
    label: "Recovery code",
    name: "code",
    class: "code long",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: 60,
    placeholder: "XXXX-XXXX-XXXX-XXXX-XXXX-XXXX",
    ...rest,
  });

/** A form that cannot be sent while its problem locks it. */
export const form = ({ action, problem }, ...content) =>
  html`<form method="post" action="${action}"><fieldset ${problem?.locked && problem.wait ? raw("disabled") : ""}>${content}</fieldset></form>`;

export const button = (text, kind = "primary") => html`<button class="${kind}">${text}</button>`;

export const errorPage = (c, title, text) =>
  layout(c, { title, lead: text }, html`<p><a class="button" href="/">Go to the start page</a></p>`);
