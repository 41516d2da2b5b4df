// Passkeys on the real page, with Chromium's virtual authenticator: made, used, and by somebody else's origin not at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { begin, button, heading, newUser, picture, result, visit } from "./service.ts";

async function withAuthenticator(url: string, look: (page: Page) => Promise<void>, held: object[] = []): Promise<object[]> {
  let credentials: object[] = [];
  await visit(async (page) => {
    const client = await page.context().newCDPSession(page);
    await client.send("WebAuthn.enable", { enableUI: false });
    const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
    const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", { options });
    for (const credential of held) await client.send("WebAuthn.addCredential", { authenticatorId, credential: credential as never });
    await page.goto(url);
    await heading(page).waitFor();
    await look(page);
    ({ credentials } = await client.send("WebAuthn.getCredentials", { authenticatorId }));
  });
  return credentials;
}

test("a passkey is made on the page, and confirms the next login with one press", async () => {
  const user = newUser();
  const held = await withAuthenticator(await begin(user, "enrol"), async (page) => {
    await button(page, "add-passkey").click();
    await button(page, "create-passkey").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
    await page.getByLabel("I have saved these codes").check();
    await button(page, "submit").click();
    const finish = button(page, "finish");
    const back = page.waitForURL(/\/done/);
    await Promise.race([button(page, "continue").click().then(() => finish.click()), finish.click(), back]);
    await back;
    assert.equal((await result(page)).purpose, "enrol");
  });
  assert.equal(held.length, 1);
  await withAuthenticator(
    await begin(user, "verify"),
    async (page) => {
      await picture(page, "verify-passkey");
      await button(page, "use-passkey").click();
      const told = await result(page);
      assert.deepEqual([told.user_id, told.method], [user, "passkey"]);
    },
    held,
  );
});
