// The pages of changes that take something away: each asks for a code, and the change is made with that code.
import { html } from "hono/html";
import { button, field, form, layout, problemBox } from "./layout.mjs";

/** `proof` says where codes can be sent (`channels`), and where one went (`sentTo`). */
export function changePage(c, { path, title, lead, inputs = [], action, kind, back, proof: { channels, sentTo }, problem }) {
  const hint = sentTo ? `From the message we sent to ${sentTo}, from your app, or a recovery code.` : "From your authenticator app, or a recovery code.";
  return layout(
    c,
    { title, lead },
    problemBox(problem),
    form(
      { action: path, problem },
      inputs,
      field({ label: "Code", name: "code", class: "code", autocomplete: "one-time-code", maxlength: 60, spellcheck: "false", hint, problem: about(problem, "code"), autofocus: inputs.length === 0 }),
      button(action, kind),
    ),
    channels.map((by) => html`<form method="post" action="/security/code"><input type="hidden" name="by" value="${by}"><input type="hidden" name="back" value="${path}"><button class="link">${by === "sms" ? "Send me a code by text message" : "Send me a code by e-mail"}</button></form>`),
    html`<p class="aside"><a href="/security">${back}</a></p>`,
  );
}

/** The problem, if it is this field's. */
const about = (problem, name) => (problem?.on === name ? problem : undefined);

export const movePage = (c, page) =>
  changePage(c, {
    ...page,
    title: "Move to another device",
    lead: "First a code, so that we know it is you. Then you scan a new QR code. The device you have works until the new one does.",
    action: "Continue",
    back: "Stay with this device",
  });

export const newCodesPage = (c, page) =>
  changePage(c, {
    ...page,
    title: "Make new recovery codes",
    lead: "You get ten new ones. Those you have stop working.",
    action: "Make new codes",
    back: "Not now",
  });

export const turnOffPage = (c, page) =>
  changePage(c, {
    ...page,
    title: "Turn off two\u2011step verification",
    lead: "Your password alone will open your account, and your recovery codes will no longer work.",
    inputs: [field({ label: "Password", name: "password", type: "password", autocomplete: "current-password", maxlength: 128, problem: about(page.problem, "password") })],
    action: "Turn off",
    kind: "primary destructive",
    back: "Keep it on",
  });

const destinationInputs = {
  phone: (value, problem) => field({ label: "Phone number", name: "destination", type: "tel", autocomplete: "tel", maxlength: 24, placeholder: "+34 600 111 222", hint: "With the country code.", value, problem, autofocus: true }),
  email: (value, problem) => field({ label: "E-mail address", name: "destination", type: "email", autocomplete: "email", maxlength: 254, value, problem, autofocus: true }),
};

const leads = {
  phone: "We send a code to it, to see that it arrives. Texts can be intercepted by a determined thief: keep your authenticator app as the first choice.",
  email: "We send a code to it, to see that it arrives. It need not be the address you sign in with.",
};

export const destinationPage = (c, { channel, value, ...page }) =>
  changePage(c, {
    ...page,
    title: channel === "phone" ? "Your phone number" : "E-mail address for codes",
    lead: leads[channel],
    inputs: [destinationInputs[channel](value, about(page.problem, "destination"))],
    action: "Continue",
    back: "Back",
  });

export const removeDestinationPage = (c, { channel, value, ...page }) =>
  changePage(c, {
    ...page,
    title: channel === "phone" ? "Remove your phone number" : "Remove your e-mail address",
    lead: `No code will go to ${value} any more.`,
    action: "Remove",
    kind: "primary destructive",
    back: "Keep it",
  });
