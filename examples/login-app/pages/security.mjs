// The security page, and everything that is set up from it.
import { html, raw } from "hono/html";
import { button, codeField, field, form, icon, layout, problemBox } from "./layout.mjs";

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

export function securityPage(c, { on, hasApp, recoveryCodes, user }) {
  if (!on) {
    return layout(
      c,
      { title: "Security", wide: true, lead: "Two-step verification is off: your password alone opens your account." },
      html`<section class="card banner">
        ${icon("shield")}
        <div>
          <h2>Turn on two-step verification</h2>
          <p>You need a phone with an authenticator app, such as Google Authenticator, 1Password, Aegis or the one your phone came with.</p>
        </div>
        ${post("/app/start", "Turn on", "two-step verification", "primary")}
      </section>`,
    );
  }
  const few = recoveryCodes < 3;
  return layout(
    c,
    { title: "Security", wide: true, lead: "Two-step verification is on. After your password we ask for one of these." },
    html`<ul class="card rows">
      ${row({
        drawing: "app",
        title: "Authenticator app",
        text: hasApp ? "Shows a new code every 30 seconds, also without a network." : "It was switched off. Set it up again to use it.",
        state: hasApp ? "On" : "Off",
        good: hasApp,
        actions: post("/app/start", hasApp ? "Move to another device" : "Set up again", "the authenticator app"),
      })}
      ${destinationRow({ drawing: "sms", channel: "phone", title: "Text message", destination: user.code_phone, confirmed: user.code_phone_confirmed, none: "A code by SMS, for when your app is out of reach.", about: "phone number" })}
      ${destinationRow({ drawing: "email", channel: "email", title: "E-mail", destination: user.code_email, confirmed: user.code_email_confirmed, none: "A code by e-mail, and a way back in if you lose your device.", about: "e-mail address" })}
      ${row({
        drawing: "codes",
        title: "Recovery codes",
        text: "Each opens your account once, when nothing else is at hand.",
        state: recoveryCodes === 0 ? "None left" : `${recoveryCodes} left`,
        good: !few,
        actions: post("/recovery-codes", "Make new codes", "(recovery codes)"),
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
    ? [confirmed ? link(path, "Change", about) : post(`${path}/send`, "Confirm", about), post(`${path}/remove`, "Remove", about, "quiet")]
    : link(path, "Add", about);
  return row({ drawing, title, text: destination ? html`<span class="value">${destination}</span>` : none, state, good: Boolean(confirmed), actions });
}

const steps = (current) =>
  html`<ol class="steps" aria-label="Steps">${["Scan", "Confirm", "Save your codes"].map(
    (name, index) => html`<li class="${index < current ? "past" : ""}" ${index === current ? raw('aria-current="step"') : ""}>${name}</li>`,
  )}</ol>`;

/** The new secret, as QR code and as text, and the field for its first code. */
export const authenticatorPage = (c, { enrolment, problem }) =>
  layout(
    c,
    { title: enrolment.renewing ? "Set up your new device" : "Set up your authenticator app" },
    enrolment.renewing ? "" : steps(problem ? 1 : 0),
    html`<p>Scan this with your authenticator app, for instance with its <b>+</b> button.</p>
    <p class="qr"><img src="/app/qr" alt="QR code with the key for your authenticator app" width="256" height="256"></p>
    <details>
      <summary>I cannot scan it</summary>
      <p>On this phone, <a href="${enrolment.otpauthUrl}">open it in your app</a>. Or type this key into the app, as an account that is <i>time based</i>:</p>
      <p class="key">${spaced(enrolment.secret)}</p>
    </details>`,
    problemBox(problem),
    form({ action: "/app/confirm", problem }, codeField({ label: "The 6-digit code your app shows now", problem, autofocus: Boolean(problem) }), button("Confirm")),
    enrolment.renewing === "recovering" ? "" : html`<p class="aside"><a href="/security">Not now</a></p>`,
  );

/** After a lost device, when the QR code is no longer valid. */
export const rebindPage = (c) =>
  layout(
    c,
    { title: "Set up your new device", lead: "You have shown that this is your account. Set up an authenticator app now to sign in." },
    html`<form method="post" action="/app/start"><button class="primary">Show the QR code</button></form>`,
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

const wording = {
  phone: {
    title: "Your phone number",
    lead: "We send a code to it, to see that it arrives. Texts can be intercepted by a determined thief: keep your authenticator app as the first choice.",
    input: (value, problem) => field({ label: "Phone number", name: "destination", type: "tel", autocomplete: "tel", maxlength: 24, placeholder: "+34 600 111 222", hint: "With the country code.", value, problem, autofocus: true }),
    arrived: (destination) => `We sent a code to ${destination}.`,
  },
  email: {
    title: "E-mail address for codes",
    lead: "We send a code to it, to see that it arrives. It need not be the address you sign in with.",
    input: (value, problem) => field({ label: "E-mail address", name: "destination", type: "email", autocomplete: "email", maxlength: 254, value, problem, autofocus: true }),
    arrived: (destination) => `We sent a code to ${destination}. If it is not there, look among the unwanted mail.`,
  },
};

export const destinationPage = (c, { channel, value, problem }) =>
  layout(
    c,
    { title: wording[channel].title, lead: wording[channel].lead },
    problemBox(problem),
    form({ action: `/security/${channel}` }, wording[channel].input(value, problem), button("Send the code")),
    html`<p class="aside"><a href="/security">Back</a></p>`,
  );

export const confirmDestinationPage = (c, { channel, destination, problem }) =>
  layout(
    c,
    { title: channel === "phone" ? "Confirm your number" : "Confirm your address", lead: wording[channel].arrived(destination) },
    problemBox(problem),
    form({ action: `/security/${channel}/confirm`, problem }, codeField({ problem, autofocus: true, sms: channel === "phone" }), button("Confirm")),
    html`<form method="post" action="/security/${channel}/send"><button class="link">Send another code</button></form>
    <p class="aside"><a href="/security/${channel}">Change the ${channel === "phone" ? "number" : "address"}</a></p>`,
  );

export const turnOffPage = (c, { channels, sentTo, problem, on }) =>
  layout(
    c,
    { title: "Turn off two\u2011step verification", lead: "Your password alone will open your account, and your recovery codes will no longer work." },
    problemBox(problem),
    form(
      { action: "/security/off", problem },
      field({ label: "Password", name: "password", type: "password", autocomplete: "current-password", maxlength: 128, problem: on === "password" ? problem : undefined }),
      field({ label: "Code", name: "code", class: "code", autocomplete: "one-time-code", maxlength: 60, spellcheck: "false", problem: on === "code" ? problem : undefined, hint: sentTo ? `From the message we sent to ${sentTo}, from your app, or a recovery code.` : "From your authenticator app, or a recovery code." }),
      button("Turn off", "primary destructive"),
    ),
    channels.map((by) => html`<form method="post" action="/security/off/send"><input type="hidden" name="by" value="${by}"><button class="link">${by === "sms" ? "Send me a code by text message" : "Send me a code by e-mail"}</button></form>`),
    html`<p class="aside"><a href="/security">Keep it on</a></p>`,
  );
