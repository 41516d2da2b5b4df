// Passkeys are made and used by the browser: these pages are of no use without their script.
import { html } from "hono/html";
import { changePage } from "./changes.mjs";
import { field, layout } from "./layout.mjs";

/**
 * A form whose button asks the browser, and which the script sends with what the browser gave. The script also switches
 * the button on: pressed before that, it would send nothing.
 */
export const passkeyForm = ({ action, publicKey, kind, hidden = "", text }) =>
  html`<form method="post" action="${action}" data-passkey="${kind}" data-public-key="${JSON.stringify(publicKey)}">
      ${hidden}<input type="hidden" name="credential">
      <button class="primary" disabled>${text}</button>
      <p class="told" role="status"></p>
    </form>
    <noscript><p>Passkeys need JavaScript.</p></noscript>`;

export const newPasskeyPage = (c, page) =>
  changePage(c, {
    ...page,
    title: "Add a passkey",
    lead: "First a code, so that we know it is you. Then your device makes a passkey.",
    action: "Continue",
    back: "Not now",
  });

export const makePasskeyPage = (c, { publicKey }) =>
  layout(
    c,
    { title: "Create a passkey", lead: "Your device asks for your fingerprint, face or screen lock; that stays on the device." },
    passkeyForm({
      action: "/passkeys/make",
      publicKey,
      kind: "create",
      hidden: field({ label: "Name", name: "name", maxlength: 60, required: false, hint: "So that you know it again, such as “Laptop”." }),
      text: "Create passkey",
    }),
    html`<p class="aside"><a href="/security">Not now</a></p>`,
  );
