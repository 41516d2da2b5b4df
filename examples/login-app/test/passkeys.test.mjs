// Passkeys in a browser, with an authenticator that Chromium plays: made at enrolment and at once, used at the login.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { Person } from "./people.mjs";
import { startServices } from "./services.mjs";

/** Somebody with a device that holds passkeys. */
class Holder extends Person {
  static async arrive(...args) {
    const person = Object.setPrototypeOf(await Person.arrive(...args), Holder.prototype);
    person.devtools = await person.context.newCDPSession(person.page);
    await person.devtools.send("WebAuthn.enable");
    return person;
  }

  /** Another device than the one before, if there was one. */
  async takes(options = {}) {
    if (this.device) await this.devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: this.device });
    const standard = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    const { authenticatorId } = await this.devtools.send("WebAuthn.addVirtualAuthenticator", { options: { ...standard, ...options } });
    this.device = authenticatorId;
  }

  onDevice(method, params) {
    return this.devtools.send(`WebAuthn.${method}`, { authenticatorId: this.device, ...params });
  }

  async credential() {
    const { credentials } = await this.onDevice("getCredentials");
    return credentials[0];
  }

  async makesFirst() {
    await this.page.goto("/security");
    await this.press("Use a passkey instead");
    await this.reads("Create a passkey");
    await this.field("Name").fill("Laptop");
    await this.press("Create passkey");
    await this.readRecoveryCodes();
    await this.saveRecoveryCodes();
  }

  async signsIn() {
    await this.signOut();
    await this.givePassword();
    await this.press("Use passkey");
  }
}

describe("passkeys", { concurrency: true }, () => {
  let services;
  before(async () => (services = await startServices()));
  after(() => services?.stop());
  for (const client of ["plain", "stepUp"]) {
    const holder = async (t, name) => {
      const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: process.env.CHROMIUM_ARGUMENTS?.split(" ") });
      t.after(() => browser.close());
      const person = await Holder.arrive(browser, { ...services.apps[client], sandbox: services.sandbox }, name);
      await person.signUp();
      return person;
    };

    test(`${client}: a passkey turns two-step verification on, brings recovery codes and signs in`, async (t) => {
      const ann = await holder(t, "Ann");
      await ann.takes();
      await ann.makesFirst();
      await ann.sees("Laptop");
      await ann.look("security-passkey");
      await ann.signsIn();
      await ann.sees("You signed in with your password and your passkey");
      await ann.signOut();
      await ann.givePassword();
      await ann.look("use-passkey");
      // One more, on another device, for a recovery code.
      await ann.press("Use passkey");
      await ann.sees("You signed in with your password and your passkey");
      await ann.page.goto("/security");
      await ann.takes();
      await ann.open(/^Add a passkey/);
      await ann.prove(ann.recoveryCodes.pop(), "Continue");
      await ann.press("Create passkey");
      await ann.sees("Your passkey is ready");
      await ann.signsIn();
      await ann.sees("You signed in with your password and your passkey");
      assert.deepEqual(ann.complaints, []);
    });

    test(`${client}: a cancelled passkey is told neutrally, and another way lets in`, async (t) => {
      const bob = await holder(t, "Bob");
      await bob.takes();
      await bob.makesFirst();
      // What the browser says then is what it says to somebody who cancels.
      await bob.onDevice("setUserVerified", { isUserVerified: false });
      await bob.signsIn();
      await bob.sees("That did not finish");
      await bob.open("Use a recovery code");
      await bob.type(bob.recoveryCodes.pop());
      await bob.sees("You signed in with your password and a recovery code");
    });

    test(`${client}: a copied key is noticed, and one that is synchronised is let pass`, async (t) => {
      const carol = await holder(t, "Carol");
      await carol.takes();
      await carol.makesFirst();
      await carol.signsIn();
      await carol.sees("You signed in with your password and your passkey");
      const copy = async (signCount, backupState) => {
        const credential = await carol.credential();
        await carol.onDevice("removeCredential", { credentialId: credential.credentialId });
        await carol.onDevice("addCredential", { credential: { ...credential, signCount, ...backupState } });
      };
      await copy(0, {});
      await carol.signsIn();
      await carol.sees("This passkey was not accepted");
      await copy(1000, {});
      await carol.page.goto("/login/code");
      await carol.press("Use passkey");
      await carol.sees("You signed in with your password and your passkey");
    });
  }
});
