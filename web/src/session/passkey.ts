// WebAuthn as the browser offers it: options in, the credential as JSON out. Level 3 has both conversions; browsers
// without them get ours (Safari before 18.4).

const encode = (bytes: ArrayBuffer | null) =>
  bytes && btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const decode = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const described = (list: PublicKeyCredentialDescriptorJSON[] = []) =>
  list.map((one) => ({ ...one, id: decode(one.id) })) as PublicKeyCredentialDescriptor[];

function requestOptions(json: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: decode(json.challenge), allowCredentials: described(json.allowCredentials) } as unknown as PublicKeyCredentialRequestOptions;
}

function creationOptions(json: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return {
    ...json,
    challenge: decode(json.challenge),
    user: { ...json.user, id: decode(json.user.id) },
    excludeCredentials: described(json.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
}

/** What both ceremonies answer, before the part that is theirs. */
const common = (credential: PublicKeyCredential) => ({
  id: credential.id,
  rawId: encode(credential.rawId),
  type: credential.type,
  authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  clientExtensionResults: credential.getClientExtensionResults(),
});

function assertionJson(credential: PublicKeyCredential): AuthenticationResponseJSON {
  if (credential.toJSON) return credential.toJSON() as AuthenticationResponseJSON;
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response as AuthenticatorAssertionResponse;
  const response = {
    clientDataJSON: encode(clientDataJSON),
    authenticatorData: encode(authenticatorData),
    signature: encode(signature),
    userHandle: encode(userHandle) ?? undefined,
  };
  return { ...common(credential), response } as unknown as AuthenticationResponseJSON;
}

function attestationJson(credential: PublicKeyCredential): RegistrationResponseJSON {
  if (credential.toJSON) return credential.toJSON() as RegistrationResponseJSON;
  const answer = credential.response as AuthenticatorAttestationResponse;
  const response = {
    clientDataJSON: encode(answer.clientDataJSON),
    attestationObject: encode(answer.attestationObject),
    authenticatorData: encode(answer.getAuthenticatorData()),
    publicKey: encode(answer.getPublicKey()),
    publicKeyAlgorithm: answer.getPublicKeyAlgorithm(),
    transports: answer.getTransports(),
  };
  return { ...common(credential), response } as unknown as RegistrationResponseJSON;
}

/**
 * `unfinished`: cancelled, timed out or none here, which the browser does not tell apart. `exists`: this device holds
 * one already. `aborted`: the page left.
 */
export type PasskeyTrouble = "unfinished" | "exists" | "aborted";

export class PasskeyProblem extends Error {
  readonly trouble: PasskeyTrouble;

  constructor(trouble: PasskeyTrouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

async function attempt(ceremony: Promise<Credential | null>, signal: AbortSignal): Promise<PublicKeyCredential> {
  try {
    const credential = await ceremony;
    if (credential) return credential as PublicKeyCredential;
  } catch (error) {
    if (signal.aborted) throw new PasskeyProblem("aborted");
    if (error instanceof DOMException && error.name === "InvalidStateError") throw new PasskeyProblem("exists");
  }
  throw new PasskeyProblem("unfinished");
}

/** `conditional`: the browser offers the passkey among a field's suggestions, and opens no dialog by itself. */
export async function usePasskey(
  options: PublicKeyCredentialRequestOptionsJSON,
  signal: AbortSignal,
  conditional = false,
): Promise<AuthenticationResponseJSON> {
  const publicKey = requestOptions(options);
  const ceremony = navigator.credentials.get({ publicKey, signal, ...(conditional && { mediation: "conditional" as const }) });
  return assertionJson(await attempt(ceremony, signal));
}

export async function createPasskey(options: PublicKeyCredentialCreationOptionsJSON, signal: AbortSignal): Promise<RegistrationResponseJSON> {
  return attestationJson(await attempt(navigator.credentials.create({ publicKey: creationOptions(options), signal }), signal));
}

/** Tells the browser's password manager, where it listens, that a passkey opens nothing any more. */
export async function forgetPasskey(rpId: string, credentialId: string) {
  const signals = PublicKeyCredential as unknown as { signalUnknownCredential?: (of: object) => Promise<void> };
  await signals.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}
