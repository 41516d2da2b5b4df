// What @simplewebauthn/server says of each message: the file on standard input, verdicts on standard output.
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { text } from "node:stream/consumers";
import { judge } from "./messages.mjs";

const file = JSON.parse(await text(process.stdin));
const { rp_id: expectedRPID, origin: expectedOrigin, challenge: expectedChallenge } = file.setting;
const expected = { expectedRPID, expectedOrigin, expectedChallenge };

const register = ({ user_verification }, response) =>
  verifyRegistrationResponse({
    ...expected,
    response,
    requireUserVerification: user_verification === "required",
    supportedAlgorithmIDs: [-8, -7, -257],
  });

const assert = ({ user_verification, stored }, response) => {
  // To find the credential is the relying party's part.
  if (stored.id !== response.id) throw new Error("no such credential");
  return verifyAuthenticationResponse({
    ...expected,
    response,
    credential: { id: stored.id, publicKey: Buffer.from(stored.key, "base64url"), counter: stored.sign_count },
    requireUserVerification: user_verification === "required",
  });
};

const holds = (verify) => async (entry, response) => {
  try {
    return (await verify(entry, response)).verified;
  } catch {
    return false;
  }
};

console.log(JSON.stringify(await judge(file, holds(register), holds(assert))));
