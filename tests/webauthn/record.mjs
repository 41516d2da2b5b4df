// Has Chromium's virtual authenticators register and assert, and keeps what they sent in
// tests/vectors/webauthn-chromium.json, which tests/webauthn/recorded.rs reads. Run by hand, when Chromium or the
// options change: `node tests/webauthn/record.mjs`, with a port as PORT (8811) if that is taken.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import { browserVariables } from "../../scripts/lib/chromium.mjs";
import { root } from "../../scripts/lib/steps.mjs";

const port = Number(process.env.PORT ?? 8811);
const origin = `http://localhost:${port}`;
const challenges = { registration: "cmVnaXN0cmF0aW9uLWNoYWxsZW5nZS1vZi0zMi1ieXQ", assertion: "YXNzZXJ0aW9uLWNoYWxsZW5nZS1vZi0zMi1ieXRlcy4" };
const user = { id: "Y2hyb21pdW0tdXNlcg", name: "ann@example.org", displayName: "Ann" };

// As domain/webauthn/options.rs makes them; recorded.rs compares.
const creation = (userVerification) => ({
  rp: { id: "localhost", name: "Shop" },
  user,
  challenge: challenges.registration,
  pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
  timeout: 300000,
  excludeCredentials: [],
  authenticatorSelection: { residentKey: "preferred", userVerification },
  attestation: "none",
});
const request = (userVerification, { id, response }) => ({
  challenge: challenges.assertion,
  timeout: 300000,
  rpId: "localhost",
  allowCredentials: [{ type: "public-key", id, transports: response.transports }],
  userVerification,
});

const phone = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
const runs = [
  { name: "a phone", authenticator: phone, userVerification: "required" },
  { name: "a passkey in a cloud", authenticator: { ...phone, defaultBackupEligibility: true, defaultBackupState: true }, userVerification: "preferred" },
  { name: "a security key without a PIN", authenticator: { ...phone, transport: "usb", hasUserVerification: false, hasResidentKey: false }, userVerification: "preferred" },
  { name: "a security key of U2F", authenticator: { protocol: "u2f", transport: "usb", automaticPresenceSimulation: true }, userVerification: "discouraged" },
  // What no browser sends us, since we ask for none; its statements are real all the same.
  { name: "a phone, with the attestation it has", authenticator: phone, userVerification: "required", attestation: "direct" },
  { name: "a security key of U2F, with the attestation it has", authenticator: { protocol: "u2f", transport: "usb", automaticPresenceSimulation: true }, userVerification: "discouraged", attestation: "direct" },
  // The algorithms one by one.
  ...[-8, -7, -257].map((alg) => ({ name: `a phone that has algorithm ${alg} alone`, authenticator: phone, userVerification: "required", algorithm: alg })),
];

const server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>record</title>"));
await new Promise((resolve) => server.listen(port, "localhost", resolve));
const { CHROMIUM, CHROMIUM_ARGUMENTS } = await browserVariables();
const browser = await playwright.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS.split(" ") });

const inPage = {
  create: async (options) => (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON(),
  get: async (options) => (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON(),
};

const recorded = [];
for (const { name, authenticator, userVerification, attestation, algorithm } of runs) {
  const page = await (await browser.newContext()).newPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", { options: authenticator });
  await page.goto(origin);
  const options = creation(userVerification);
  const asked = structuredClone(options);
  if (attestation) asked.attestation = attestation;
  if (algorithm) asked.pubKeyCredParams = [{ type: "public-key", alg: algorithm }];
  const registration = await page.evaluate(inPage.create, asked);
  const requestOptions = request(userVerification, registration);
  const assertions = [];
  for (let turn = 0; turn < 2; turn++) assertions.push(await page.evaluate(inPage.get, requestOptions));
  recorded.push({ name, user_verification: userVerification, options, request_options: requestOptions, registration, assertions });
  console.log(`${name}: registered and asserted twice`);
  await page.context().close();
}
const made = { browser: `Chromium ${browser.version()}`, rp_id: "localhost", origin, ...challenges, user_handle: user.id, runs: recorded };
writeFileSync(join(root, "tests", "vectors", "webauthn-chromium.json"), `${JSON.stringify(made, null, 2)}\n`);
await browser.close();
server.close();
