// The security page, and what is shown when something is set up from it.
import { html, raw } from "hono/html";
import { button, codeField, form, icon, layout, problemBox } from "./layout.mjs";

const spaced = (text) => text.match(/.{1,4}/g).join(" ");

const row = ({ drawing, title, text, state, good, actions }) => html`<li class="row">
  ${icon(drawing)}
  <div class="what">
    <h2>${title} <span class="state ${good ? "good" : ""}">${state}</span></h2>
    <p>${text}</p>
  </div>
  <div class="actions">${actions}</div>
</li>`;

const link = (href, text, about) => html`<a class="button secondary" href="${href}">${text}<span class="visually-hidden"> ${about}</span></a>`;
const post = (action, text, about, kind = "secondary") =>
  html`<form method="post" action="${action}"><button class="${kind}">${text}<span class="visually-hidden"> ${about}</span></button></form>`;

export function securityPage(c, { on, hasApp, passkeys, recoveryCodes, user, problem }) {
  if (!on) {
    return layout(
      c,
      { title: "Security", wide: true, lead: "Two-step verification is off: your password alone opens your account." },
      problemBox(problem),
      html`<section class="card banner">
        ${icon("shield")}
        <div>
          <h2>Turn on two-step verification</h2>
          <p>You need a phone with an authenticator app, such as Google Authenticator, 1Password, Aegis or the one your phone came with.</p>
        </div>
        ${post("/app/start", "Turn on", "two-step verification", "primary")}
        ${post("/passkeys/start", "Use a passkey instead", "to turn on two-step verification")}
      </section>`,
    );
  }
  const few = recoveryCodes < 3;
  return layout(
    c,
    { title: "Security", wide: true, lead: "Two-step verification is on. After your password we ask for one of these." },
    problemBox(problem),
    html`<ul class="card rows">
      ${row({
        drawing: "passkey",
        title: "Passkeys",
        text: passkeys.length > 0 ? passkeys.map(({ name }) => name ?? "Unnamed").join(", ") : "Your fingerprint, face, screen lock or security key.",
        state: passkeys.length > 0 ? "On" : "Not set up",
        good: passkeys.length > 0,
        actions: link("/passkeys/new", "Add", "a passkey"),
      })}
      ${row({
        drawing: "app",
        title: "Authenticator app",
        text: hasApp ? "Shows a new code every 30 seconds, also without a network." : "It was switched off. Set it up again to use it.",
        state: hasApp ? "On" : "Off",
        good: hasApp,
        actions: link("/app/move", hasApp ? "Move to another device" : "Set up again", "(authenticator app)"),
      })}
      ${destinationRow({ drawing: "sms", channel: "phone", title: "Text message", destination: user.code_phone, confirmed: user.code_phone_confirmed, none: "A code by SMS, for when your app is out of reach.", about: "phone number" })}
      ${destinationRow({ drawing: "email", channel: "email", title: "E-mail", destination: user.code_email, confirmed: user.code_email_confirmed, none: "A code by e-mail, and a way back in if you lose your device.", about: "e-mail address" })}
      ${row({
        drawing: "codes",
        title: "Recovery codes",
        text: "Each opens your account once, when nothing else is at hand.",
        state: recoveryCodes === 0 ? "None left" : `${recoveryCodes} left`,
        good: !few,
        actions: link("/recovery-codes/new", "Make new codes", "(recovery codes)"),
      })}
    </ul>
    <section class="card danger">
      <div><h2>Turn off two-step verification</h2><p>Your password alone will open your account again.</p></div>
      ${link("/security/off", "Turn off", "two-step verification")}
    </section>`,
  );
}

function destinationRow({ drawing, channel, title, destination, confirmed, none, about }) {
  const path = `/security/${channel}`;
  const state = destination ? (confirmed ? "On" : "Not confirmed") : "Not set up";
  const actions = destination
    ? [confirmed ? link(path, "Change", about) : post(`${path}/send`, "Confirm", about), html`<a class="button quiet" href="${path}/remove">Remove<span class="visually-hidden"> ${about}</span></a>`]
    : link(path, "Add", about);
  return row({ drawing, title, text: destination ? html`<span class="value">${destination}</span>` : none, state, good: Boolean(confirmed), actions });
}

const steps = (current) =>
  html`<ol class="steps" aria-label="Steps">${["Scan", "Confirm", "Save your codes"].map(
    (name, index) => html`<li class="${index < current ? "past" : ""}" ${index === current ? raw('aria-current="step"') : ""}>${name}</li>`,
  )}</ol>`;

/** The new secret, as QR code, as link and as text, and the field for its first code. */
export const authenticatorPage = (c, { enrolment, problem }) =>
  layout(
    c,
    { title: enrolment.replaces ? "Set up your new device" : "Set up your authenticator app" },
    enrolment.replaces ? "" : steps(problem ? 1 : 0),
    html`<p class="small-screen"><a class="button" href="${enrolment.otpauthUrl}">Open it in your app</a></p>
    <p><span class="small-screen">Or, if the app is on another device, scan</span><span class="large-screen">Scan</span> this with your authenticator app, for instance with its <b>+</b> button.</p>
    <p class="qr"><img src="/app/qr" alt="QR code with the key for your authenticator app" width="256" height="256"></p>
    <details>
      <summary>I cannot scan it</summary>
      <p><span class="large-screen">On a phone, <a href="${enrolment.otpauthUrl}">open it in your app</a>. Or type</span><span class="small-screen">Type</span> this key into the app, as an account that is <i>time based</i>:</p>
      <p class="key">${spaced(enrolment.secret)}</p>
    </details>`,
    problemBox(problem),
    form({ action: "/app/confirm", problem }, codeField({ label: "The 6-digit code your app shows now", problem, autofocus: Boolean(problem) }), button("Confirm")),
    enrolment.replaces === "lost" ? "" : html`<p class="aside"><a href="/security">Not now</a></p>`,
  );

export const recoveryCodesPage = (c, { codes, first }) =>
  layout(
    c,
    { title: "Save your recovery codes" },
    first ? steps(2) : "",
    html`<p>Each of these opens your account once, when your phone is lost or broken. Keep them where you keep passwords, or print them. <b>They are shown only now</b>${first ? "" : ", and your former codes no longer work"}.</p>
    <ol class="recovery-codes" id="recovery-codes" aria-label="Recovery codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ol>
    <div class="tools" hidden data-needs-script>
      <button type="button" class="secondary" data-copy="#recovery-codes">Copy</button>
      <button type="button" class="secondary" data-download="#recovery-codes" data-name="meadow-recovery-codes.txt">Download</button>
      <button type="button" class="secondary" data-print>Print</button>
      <span class="told" role="status"></span>
    </div>`,
    html`<p class="print-only">For ${c.var.user.email} at Meadow.</p>`,
    form(
      { action: "/recovery-codes/done" },
      html`<label class="check"><input type="checkbox" name="saved" required> I have saved these codes</label>`,
      button("Done"),
    ),
  );

const arrived = {
  phone: (number) => `We sent a code to ${number}.`,
  email: (address) => `We sent a code to ${address}. If it is not there, look among the unwanted mail.`,
};

export const confirmDestinationPage = (c, { channel, destination, problem }) =>
  layout(
    c,
    { title: channel === "phone" ? "Confirm your number" : "Confirm your address", lead: arrived[channel](destination) },
    problemBox(problem),
    form({ action: `/security/${channel}/confirm`, problem }, codeField({ problem, autofocus: true, sms: channel === "phone" }), button("Confirm")),
    html`<form method="post" action="/security/${channel}/send"><button class="link">Send another code</button></form>
    <p class="aside"><a href="/security/${channel}">Change the ${channel === "phone" ? "number" : "address"}</a></p>`,
  );
