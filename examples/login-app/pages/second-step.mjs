// Asking for a code, in every way there is one; and getting back in without any.
import { html } from "hono/html";
import { passkeyForm } from "./passkeys.mjs";
import { button, codeField, form, icon, layout, problemBox, recoveryCodeField } from "./layout.mjs";

export const methods = {
  passkey: { name: "Passkey", icon: "passkey", ask: "Use your passkey" },
  totp: { name: "Authenticator app", icon: "app", ask: "Use your authenticator app" },
  sms: { name: "Text message", icon: "sms", ask: "Get a text message" },
  email: { name: "E-mail", icon: "email", ask: "Get an e-mail" },
  recovery_code: { name: "Recovery code", icon: "codes", ask: "Use a recovery code" },
};

/** `ways` are the methods this user has, `by` the one on show, `sent` where messages went. */
export function codePage(c, { path, ways, by, sent, publicKey, problem }) {
  const others = ways.filter((way) => way !== by);
  return layout(
    c,
    { title: "Confirm it is you", lead: by ? leads[by](sent[by]) : "There is no way left to get a code for this account." },
    problemBox(problem),
    publicKey ? passkeyForm({ action: path, publicKey, kind: "use", hidden: html`<input type="hidden" name="by" value="passkey">`, text: "Use passkey" }) : "",
    by && by !== "passkey" && (!isMessage(by) || sent[by]) ? codeForm({ path, by, problem }) : "",
    isMessage(by) ? sendForm(path, by, sent[by] ? "Send another code" : "Send the code", sent[by] ? "link" : "primary") : "",
    html`<section class="ways" aria-label="Other ways">
      <h2>Another way</h2>
      <ul>
        ${others.map((way) => html`<li>${isMessage(way) && !sent[way] ? sendForm(path, way, label(way), "way") : html`<a class="way" href="${path}?by=${way}">${label(way)}</a>`}</li>`)}
        <li><a class="way" href="/login/lost">${icon("lost")}I have lost my device</a></li>
      </ul>
    </section>`,
  );
}

const label = (way) => html`${icon(methods[way].icon)}${methods[way].ask}`;
/** One press sends the message and shows the field for its code. */
const sendForm = (path, by, text, kind) => html`<form method="post" action="${path}/send"><input type="hidden" name="by" value="${by}">${button(text, kind)}</form>`;
const isMessage = (by) => by === "sms" || by === "email";

const leads = {
  passkey: () => "Use your passkey: your fingerprint, face, screen lock or security key.",
  totp: () => "Open your authenticator app and type the code it shows for Meadow.",
  sms: (sentTo) => (sentTo ? `We sent a code to ${sentTo}. It is good for five minutes.` : "We send a code to the phone number you have confirmed."),
  email: (sentTo) => (sentTo ? `We sent a code to ${sentTo}. It is good for five minutes.` : "We send a code to the e-mail address you have confirmed."),
  recovery_code: () => "Type one of the codes you saved when you turned on two-step verification. Each works once.",
};

const codeForm = ({ path, by, problem }) =>
  form(
    { action: path, problem },
    html`<input type="hidden" name="by" value="${by}">`,
    by === "recovery_code" ? recoveryCodeField({ problem, autofocus: true }) : codeField({ problem, autofocus: true, sms: by === "sms" }),
    button("Continue"),
  );

const waysBack = {
  recovery_code: html`<a class="button secondary wide" href="/login/lost/code?by=recovery_code">Use a recovery code</a>`,
  email: html`<form method="post" action="/login/lost"><input type="hidden" name="by" value="email">${button("Send me a code by e-mail", "secondary wide")}</form>`,
  sms: html`<form method="post" action="/login/lost"><input type="hidden" name="by" value="sms">${button("Send me a code by text message", "secondary wide")}</form>`,
};

export const lostDevicePage = (c, { ways, problem }) =>
  layout(
    c,
    { title: "Lost your device?", lead: ways.length > 0 ? "With a recovery code you set up an authenticator app on another device. The lost one stops working at once." : "" },
    problemBox(problem),
    ways.length > 0
      ? html`<div class="choices">${ways.map((way) => waysBack[way])}</div>`
      : html`<p>You have no recovery codes left, and no phone number or e-mail address of yours is confirmed, so there is nowhere to send a code to. Please contact our support.</p>`,
    html`<p class="aside"><a href="/login/code">Back</a></p>`,
  );

const recoveryLeads = {
  recovery_code: "Type one of the codes you saved when you turned on two-step verification. Each works once.",
  email: "We sent an 8-digit code to your e-mail address. It is good for ten minutes.",
  sms: "We sent an 8-digit code to your phone. It is good for ten minutes.",
};

export const recoveryCodePage = (c, { by, problem }) =>
  layout(
    c,
    { title: "Recover your access", lead: recoveryLeads[by] },
    problemBox(problem),
    form(
      { action: "/login/lost/code", problem },
      html`<input type="hidden" name="by" value="${by}">`,
      by === "recovery_code" ? recoveryCodeField({ problem, autofocus: true }) : codeField({ digits: 8, label: "Code from the message", problem, autofocus: true, sms: by === "sms" }),
      button("Continue"),
    ),
    html`<p class="aside"><a href="/login/lost">${by === "recovery_code" ? "I do not have it" : "I did not get it"}</a></p>`,
  );
