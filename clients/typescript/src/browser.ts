// Passkeys in a page: what the service gave goes in, what goes to it comes out. No other part of this package belongs
// into a browser.

import type { CredentialJson } from "./types.js";

/** Whether this browser can use passkeys at all. */
export function canUsePasskeys(): boolean {
  return typeof globalThis.PublicKeyCredential === "function";
}

/** Lets the browser make a passkey. `publicKey` is that of `passkeyOptions`; the result is for `registerPasskey`. */
export async function createPasskey(publicKey: object, signal?: AbortSignal): Promise<CredentialJson> {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey as PublicKeyCredentialCreationOptionsJSON);
  return json(await navigator.credentials.create({ publicKey: options, ...(signal && { signal }) }));
}

/** Lets the user use a passkey. `publicKey` is that of `passkeyChallenge`; the result is for `verifyPasskey`. */
export async function usePasskey(publicKey: object, signal?: AbortSignal): Promise<CredentialJson> {
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(publicKey as PublicKeyCredentialRequestOptionsJSON);
  return json(await navigator.credentials.get({ publicKey: options, ...(signal && { signal }) }));
}

/** Rejections are the browser's own: `NotAllowedError` where the user cancelled, or had no passkey here. */
function json(credential: Credential | null): CredentialJson {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("No passkey", "NotAllowedError");
  return credential.toJSON() as CredentialJson;
}
