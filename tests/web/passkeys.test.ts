// Passkeys, with Chromium's virtual authenticator: made, used, cancelled, missing, refused, suggested.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { asked, button, code, heading, make, move, returned, visit, worldOf, type Made, type Visit } from "./support.ts";

interface Held {
  credentialId: string;
  isResidentCredential: boolean;
  rpId: string;
  privateKey: string;
  userHandle: string;
  signCount: number;
}

class Authenticator {
  private readonly client: CDPSession;
  private readonly id: string;

  private constructor(client: CDPSession, id: string) {
    this.client = client;
    this.id = id;
  }

  static async for(context: BrowserContext, page: Page) {
    const client = await context.newCDPSession(page);
    await client.send("WebAuthn.enable", { enableUI: false });
    const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
    const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", { options });
    return new Authenticator(client, authenticatorId);
  }

  async held(): Promise<Held[]> {
    return (await this.client.send("WebAuthn.getCredentials", { authenticatorId: this.id })).credentials as Held[];
  }

  async take(credential: Held) {
    await this.client.send("WebAuthn.addCredential", { authenticatorId: this.id, credential });
  }

  /** A person who does not touch it, or whose finger is not known. */
  async refuse() {
    await this.client.send("WebAuthn.setUserVerified", { authenticatorId: this.id, isUserVerified: false });
  }

  async accept() {
    await this.client.send("WebAuthn.setUserVerified", { authenticatorId: this.id, isUserVerified: true });
  }
}

async function withAuthenticator(made: Made, look: (visit: Visit & { authenticator: Authenticator }) => Promise<void>) {
  await visit({}, async ({ context, page }) => {
    const authenticator = await Authenticator.for(context, page);
    await page.goto(made.url);
    await heading(page).waitFor();
    await look({ context, page, authenticator });
  });
}

/** Sets a passkey up in one session, and answers it and what the service holds of it. */
async function enrolled() {
  const made = await make("enrol-list");
  let held: Held | undefined;
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await button(page, "add-passkey").click();
    await button(page, "create-passkey").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
    [held] = await authenticator.held();
  });
  return { made, held: held!, way: worldOf(made).user.ways[0]! };
}

/** A world whose user has that passkey. */
async function owner(state = "verify-passkey") {
  const { held, way } = await enrolled();
  const made = await make(state);
  const { user } = worldOf(made);
  const found = user.ways.find(({ type }) => type === "passkey")!;
  Object.assign(found, { credentialId: way.credentialId, publicKey: way.publicKey, backed_up: true });
  return { made, held };
}

test("a passkey is recommended where the device can hold one, made by a press, named afterwards", async () => {
  const made = await make("enrol-list");
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await button(page, "add-passkey").getByText("Recommended").waitFor();
    await button(page, "add-passkey").click();
    assert.deepEqual(await authenticator.held(), [], "nothing was made before the press");
    await button(page, "create-passkey").click();
    await page.getByLabel("I have saved these codes").check();
    await button(page, "submit").click();
    await heading(page).getByText("Passkey added").waitFor();
    assert.match(await page.getByLabel("Name").inputValue(), /^Chrome, Linux$/);
    await page.getByLabel("Name").fill("Laptop");
    await button(page, "save").click();
    await page.locator(".toast", { hasText: "Saved." }).waitFor();
    await button(page, "continue").click();
    await heading(page).getByText("Add a second way?").waitFor();
    await button(page, "finish").click();
    assert.ok((await returned(page)).get("code"));
    assert.equal(worldOf(made).user.ways[0]!.name, "Laptop");
  });
});

test("a passkey signs in", async () => {
  const { made, held } = await owner();
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await authenticator.take(held);
    await button(page, "use-passkey").click();
    await returned(page);
    assert.equal(worldOf(made).session.verified_by, "passkey");
  });
});

test("cancelled, timed out and missing are one neutral text; the button works again at once, and the other ways stay", async () => {
  const { made, held } = await owner();
  await withAuthenticator(made, async ({ page, authenticator }) => {
    // Missing: this authenticator has none of this account.
    await button(page, "use-passkey").click();
    const text = "That did not finish. Try again, or use another way if your passkey is on another device.";
    await page.locator(".banner.info", { hasText: text }).waitFor();
    assert.equal(await button(page, "use-passkey").getAttribute("aria-disabled"), null);
    assert.equal(await button(page, "other-way").count(), 1);
    assert.ok(!asked(made).includes("POST /verify"), "an unfinished ceremony is no attempt");
    await authenticator.take(held);
    await button(page, "use-passkey").click();
    await returned(page);
  });
});

for (const name of ["NotAllowedError", "AbortError", "TimeoutError", "UnknownError"]) {
  test(`what a browser calls ${name} is told the same way`, async () => {
    const made = await make("verify-passkey");
    await visit({}, async ({ page }) => {
      await page.addInitScript((error) => (navigator.credentials.get = () => Promise.reject(new DOMException("", error))), name);
      await page.goto(made.url);
      await button(page, "use-passkey").click();
      await page.locator(".banner.info", { hasText: "That did not finish." }).waitFor();
    });
  });
}

test("a passkey that the account no longer has is not accepted, and the browser is told so", async () => {
  const { made, held } = await owner();
  worldOf(made).user.ways.find(({ type }) => type === "passkey")!.publicKey = undefined as never;
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await authenticator.take(held);
    await page.evaluate(() => {
      Object.assign(window, { signals: [] });
      Object.assign(PublicKeyCredential, { signalUnknownCredential: async (of: object) => void (window as never as { signals: object[] }).signals.push(of) });
    });
    await button(page, "use-passkey").click();
    await page.locator(".banner.bad", { hasText: "This passkey was not accepted." }).waitFor();
    const signals = await page.evaluate(() => (window as never as { signals: { rpId: string; credentialId: string }[] }).signals);
    assert.equal(signals.length, 1);
    assert.equal(signals[0]!.rpId, "localhost");
  });
});

test("a device that has a passkey of the account already is told apart", async () => {
  const { made, held } = await owner("manage-list");
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await authenticator.take(held);
    await button(page, "add").click();
    await button(page, "add-passkey").click();
    await button(page, "create-passkey").click();
    await page.locator(".banner.info", { hasText: "This device already has a passkey for your account." }).waitFor();
  });
});

test("without the conversions of Level 3 the page has its own", async () => {
  const { made, held } = await owner();
  await visit({}, async ({ context, page }) => {
    await page.addInitScript(() => {
      Object.assign(PublicKeyCredential, { parseRequestOptionsFromJSON: undefined, parseCreationOptionsFromJSON: undefined, isConditionalMediationAvailable: undefined });
      Object.assign(PublicKeyCredential.prototype, { toJSON: undefined });
    });
    const authenticator = await Authenticator.for(context, page);
    await page.goto(made.url);
    await button(page, "use-passkey").waitFor();
    await authenticator.take(held);
    await button(page, "use-passkey").click();
    await returned(page);
  });
  const second = await make("enrol-list");
  await visit({}, async ({ context, page }) => {
    await page.addInitScript(() => {
      Object.assign(PublicKeyCredential, { parseRequestOptionsFromJSON: undefined, parseCreationOptionsFromJSON: undefined });
      Object.assign(PublicKeyCredential.prototype, { toJSON: undefined });
    });
    await Authenticator.for(context, page);
    await page.goto(second.url);
    await button(page, "add-passkey").click();
    await button(page, "create-passkey").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
  });
});

test("without WebAuthn, or under another rp id, passkeys are not offered", async () => {
  const rows = async (page: Page) => {
    await button(page, "other-way").click();
    await heading(page).getByText("Choose another way").waitFor();
    return page.locator("[name^=way-]").evaluateAll((list) => list.map((row) => row.getAttribute("name")));
  };
  const none = await make("verify-passkey");
  await visit({}, async ({ page }) => {
    await page.addInitScript(() => Object.defineProperty(window, "PublicKeyCredential", { value: undefined }));
    await page.goto(none.url);
    assert.deepEqual(await rows(page), ["way-push", "way-totp", "way-sms", "way-email", "way-recovery_code"]);
  });
  const other = await make("verify-passkey", { client: { rp_id: "elsewhere.example" } });
  await visit({}, async ({ page }) => {
    await page.goto(other.url);
    assert.ok(!(await rows(page)).includes("way-passkey"));
  });
});

test("beside the code field the browser suggests the passkey, and no dialog is opened", async () => {
  const { made } = await owner("verify-app");
  worldOf(made).user.last_method = "totp";
  await visit({}, async ({ page }) => {
    await page.addInitScript(() => {
      Object.assign(PublicKeyCredential, { isConditionalMediationAvailable: async () => true });
      Object.assign(window, { asked: [], ended: 0 });
      navigator.credentials.get = ((options: CredentialRequestOptions) => {
        const seen = window as never as { asked: (string | undefined)[]; ended: number };
        seen.asked.push(options.mediation);
        options.signal!.addEventListener("abort", () => (seen.ended += 1));
        return new Promise(() => {});
      }) as typeof navigator.credentials.get;
    });
    const seen = () => page.evaluate(() => [(window as never as { asked: string[] }).asked, (window as never as { ended: number }).ended]);
    await page.goto(made.url);
    await code(page).waitFor();
    assert.equal(await code(page).getAttribute("autocomplete"), "one-time-code webauthn");
    await page.waitForFunction(() => (window as never as { asked: string[] }).asked.length > 0);
    assert.deepEqual(await seen(), [["conditional"], 0]);
    await button(page, "other-way").click();
    await heading(page).getByText("Choose another way").waitFor();
    assert.deepEqual(await seen(), [["conditional"], 1], "leaving the screen ends it");
  });
});

test("a challenge serves one attempt", async () => {
  const { made, held } = await owner();
  await withAuthenticator(made, async ({ page, authenticator }) => {
    await authenticator.take(held);
    await move(made, { faults: [{ path: "/verify", status: 503, error: "unavailable" }] });
    await button(page, "use-passkey").click();
    await page.locator(".banner.bad").waitFor();
    await button(page, "use-passkey").click();
    await returned(page);
    assert.equal(asked(made).filter((request) => request === "POST /passkeys/challenge").length, 2);
  });
});
