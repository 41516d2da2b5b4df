// Passkeys, as far as a stand-in needs them: challenge, origin, rp id, presence and signature. The service's own
// verification, with everything that an attacker would try, is not here.
import { createPublicKey, verify } from "node:crypto";
import { digest, Refusal } from "./rules.ts";
import type { Way } from "./world.ts";

interface Expected {
  challenge: string;
  origin: string;
  rpId: string;
}

const bytes = (text: unknown) => Buffer.from(String(text ?? ""), "base64url");
const refuse = (reason: string) => new Refusal(400, "invalid_credential", { reason });

function checkClientData(encoded: unknown, type: string, { challenge, origin }: Expected): Buffer {
  const raw = bytes(encoded);
  const data = JSON.parse(raw.toString()) as Record<string, unknown>;
  if (data.type !== type || data.challenge !== challenge) throw refuse("challenge");
  if (data.origin !== origin || data.crossOrigin === true) throw refuse("origin");
  return raw;
}

/** Flags and counter of authenticator data. */
function checkAuthenticator(data: Buffer, { rpId }: Expected) {
  if (!data.subarray(0, 32).equals(digest(rpId))) throw refuse("rp_id");
  const flags = data[32]!;
  if ((flags & 1) === 0) throw refuse("malformed");
  return { backed_up: (flags & 0x10) !== 0, counter: data.readUInt32BE(33) };
}

export interface Registration {
  id: string;
  response: { clientDataJSON: string; authenticatorData: string; publicKey: string; publicKeyAlgorithm: number; transports?: string[] };
}

export function register(credential: Registration, expected: Expected): Pick<Way, "credentialId" | "publicKey" | "algorithm" | "counter" | "backed_up" | "transports"> {
  const { response, id } = credential;
  checkClientData(response.clientDataJSON, "webauthn.create", expected);
  const { backed_up, counter } = checkAuthenticator(bytes(response.authenticatorData), expected);
  return {
    credentialId: id,
    publicKey: response.publicKey,
    algorithm: response.publicKeyAlgorithm,
    counter,
    backed_up,
    transports: response.transports ?? [],
  };
}

export interface Assertion {
  id: string;
  response: { clientDataJSON: string; authenticatorData: string; signature: string };
}

export function assertion(credential: Assertion, ways: Way[], expected: Expected): Way {
  const way = ways.find(({ credentialId, publicKey }) => credentialId === credential.id && publicKey !== undefined);
  if (!way) throw new Refusal(400, "invalid_credential", { reason: "unknown_credential", field: "credential.id" });
  const clientData = checkClientData(credential.response.clientDataJSON, "webauthn.get", expected);
  const data = bytes(credential.response.authenticatorData);
  checkAuthenticator(data, expected);
  const key = createPublicKey({ key: bytes(way.publicKey), format: "der", type: "spki" });
  const signed = Buffer.concat([data, digest(clientData)]);
  if (!verify("sha256", signed, key, bytes(credential.response.signature))) throw refuse("signature");
  return way;
}
