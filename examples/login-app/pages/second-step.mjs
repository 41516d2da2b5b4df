// Asking for a code, in every way there is one; and getting back in without any.
import { html } from "hono/html";
import { button, codeField, form, icon, layout, problemBox, recoveryCodeField } from "./layout.mjs";

export const methods = {
  totp: { name: "Authenticator app", icon: "app", ask: "Use your authenticator app" },
  sms: { name: "Text message", icon: "sms", ask: "Get a text message" },
  email: { name: "E-mail", icon: "email", ask: "Get an e-mail" },
  recovery_code: { name: "Recovery code", icon: "codes", ask: "Use a recovery code" },
};

/** `ways` are the methods this user has, `by` the one on show, `sentTo` where its message went. */
export function codePage(c, { path, title, ways, by, sentTo, problem, lostDevice }) {
  const others = ways.filter((way) => way !== by);
  return layout(
    c,
    { title, lead: by ? leads[by](sentTo) : "There is no way left to get a code for this account." },
    problemBox(problem),
    by && asks(by, sentTo) ? codeForm({ path, by, sentTo, problem }) : "",
    isMessage(by) ? form({ action: `${path}/send` }, html`<input type="hidden" name="by" value="${by}">`, button(sentTo ? "Send another code" : "Send the code", sentTo ? "link" : "primary")) : "",
    others.length > 0 || lostDevice
      ? html`<section class="ways" aria-label="Other ways">
        <h2>Another way</h2>
        <ul>
          ${others.map((way) => html`<li><a href="${path}?by=${way}">${icon(methods[way].icon)}${methods[way].ask}</a></li>`)}
          ${lostDevice ? html`<li><a href="/login/lost">${icon("lost")}I have lost my device</a></li>` : ""}
        </ul>
      </section>`
      : "",
  );
}

const isMessage = (by) => by === "sms" || by === "email";
const asks = (by, sentTo) => !isMessage(by) || sentTo;

const leads = {
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

export const lostDevicePage = (c, { channels, problem }) =>
  layout(
    c,
    { title: "Lost your device?", lead: channels.length > 0 ? "We send you a recovery code. With it you set up an authenticator app on another device; the lost one stops working." : "" },
    problemBox(problem),
    channels.map((by) => form({ action: "/login/lost" }, html`<input type="hidden" name="by" value="${by}">`, button(by === "sms" ? "Send it by text message" : "Send it by e-mail", "secondary wide"))),
    channels.length > 0 ? "" : html`<p>No phone number or e-mail address is confirmed for this account, so there is nowhere to send a recovery code to. One of the recovery codes you saved still works; without one, please contact our support.</p>`,
    html`<p class="aside"><a href="/login/code">Back</a></p>`,
  );

export const recoveryCodePage = (c, { by, problem }) =>
  layout(
    c,
    { title: "Recover your access", lead: `We sent an 8-digit code to your ${by === "sms" ? "phone" : "e-mail address"}. It is good for ten minutes.` },
    problemBox(problem),
    form({ action: "/login/lost/code", problem }, codeField({ digits: 8, label: "Recovery code from the message", problem, autofocus: true, sms: by === "sms" }), button("Continue")),
    html`<p class="aside"><a href="/login/lost">I did not get it</a></p>`,
  );
