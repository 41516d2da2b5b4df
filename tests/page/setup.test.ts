// The real page against the real program: setting up, managing, and the way back of somebody who has lost everything.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { begin, button, enrolled, heading, lastMail, newUser, picture, post, result, returnUrl, status, totp, type, visit } from "./service.ts";

/** Sets up an app with what the page shows, and gives its secret. */
async function setUpApp(page: Page): Promise<string> {
  const [answer] = await Promise.all([page.waitForResponse((response) => response.url().endsWith("/session/factors") && response.ok()), button(page, "add-totp").click()]);
  const { pending_enrolment } = (await answer.json()) as { pending_enrolment: { secret: string; qr_image: string } };
  const image = page.locator(`img[src="${pending_enrolment.qr_image}"]`);
  await image.waitFor();
  assert.ok(await image.evaluate((element: HTMLImageElement) => element.complete && element.naturalWidth > 0), "the picture is seen");
  await picture(page, "enrol-app");
  await type(page, totp(pending_enrolment.secret));
  return pending_enrolment.secret;
}

async function saveCodes(page: Page): Promise<string[]> {
  await heading(page).getByText("Save your recovery codes").waitFor();
  const codes = await page.locator(".codes code").allInnerTexts();
  await page.getByLabel("I have saved these codes").check();
  await button(page, "submit").click();
  return codes;
}

/** Where a second way is offered, it is turned down. */
async function leave(page: Page) {
  const finish = button(page, "finish");
  const back = page.waitForURL((url) => url.href.startsWith(returnUrl));
  await Promise.race([finish.click(), back]);
  await back;
}

test("a new user sets up an app, keeps the recovery codes, and can sign in with both", async () => {
  const user = newUser();
  const url = await begin(user, "enrol");
  await visit(async (page) => {
    await page.goto(url);
    await button(page, "add-totp").waitFor();
    await picture(page, "enrol");
    const secret = await setUpApp(page);
    const codes = await saveCodes(page);
    assert.equal(codes.length, 10);
    await leave(page);
    const told = await result(page);
    assert.deepEqual([told.user_id, told.purpose], [user, "enrol"]);
    assert.equal((await post("/mfa/verify", { user_id: user, code: totp(secret, Date.now() / 1000 + 30) })).method, "totp");
    assert.equal((await post("/mfa/verify", { user_id: user, code: codes[3] })).method, "recovery_code");
  });
});

test("an address is on file once its code came back", async () => {
  const user = newUser();
  const url = await begin(user, "enrol", { locale: "en" });
  await visit(async (page) => {
    await page.goto(url);
    await button(page, "add-email").click();
    await page.locator("input[type=email]").fill(`${user}@example.com`);
    await page.keyboard.press("Enter");
    await page.locator("input[name=code]").waitFor();
    await type(page, (await lastMail(user)).text.match(/^\d{6}$/m)![0]);
    await leave(page);
    assert.equal((await result(page)).purpose, "enrol");
    assert.deepEqual((await status(user)).methods, ["email"]);
  });
});

test("managing begins with a confirmation; ways are renamed, added and removed, and all of it is turned off", async () => {
  const { user, secret } = await enrolled();
  const url = await begin(user, "manage");
  await visit(async (page) => {
    await page.goto(url);
    await type(page, totp(secret));
    await heading(page).getByText("Ways to sign in").waitFor();
    await picture(page, "manage");
    await button(page, "add").click();
    await setUpApp(page);
    await saveCodes(page);
    await page.locator(".row[name^=factor-]").filter({ hasText: "Authenticator app" }).first().click();
    await page.getByLabel("Name").fill("Tablet");
    await button(page, "save").click();
    await page.locator(".toast", { hasText: "Saved." }).waitFor();
    await button(page, "remove").click();
    await button(page, "act").click();
    await page.locator(".toast", { hasText: "Removed." }).waitFor();
    await button(page, "turn-off").click();
    await button(page, "act").click();
    await page.getByText("Your password alone opens your account.").waitFor();
    await button(page, "done").click();
    assert.equal((await result(page)).purpose, "manage");
  });
});

test("somebody who has lost every way gets in by e-mail, sets up an app, and the lost ones are gone", async () => {
  const { user, secret } = await enrolled();
  const url = await begin(user, "recover");
  await visit(async (page) => {
    await page.goto(url);
    await button(page, "recover-email").click();
    await page.locator("input[name=code]").waitFor();
    await picture(page, "recover");
    await type(page, (await lastMail(user)).text.match(/^\d{8}$/m)![0]);
    await heading(page).getByText("Add a way to sign in").waitFor();
    await setUpApp(page);
    await heading(page).getByText("Which of these have you lost?").waitFor();
    await picture(page, "lost");
    await button(page, "remove-lost").click();
    await saveCodes(page);
    const told = await result(page);
    assert.deepEqual([told.user_id, told.purpose], [user, "recover"]);
    await assert.rejects(post("/mfa/verify", { user_id: user, code: totp(secret) }), /invalid_code/);
  });
});

test("ATK-101: a link in an e-mail leads back in by its button, once, and not by being opened", async () => {
  const { user } = await enrolled();
  await post("/mfa/recovery", { user_id: user, recovery_method: "link" });
  const url = (await lastMail(user)).text.match(/^http:\S+\/session#recover\.\S+$/m)![0];
  for (let time = 0; time < 3; time++) {
    await visit(async (page) => {
      await page.goto(url);
      await heading(page).getByText("Get back into Meadow?").waitFor();
    });
  }
  await visit(async (page) => {
    await page.goto(url);
    await button(page, "continue").click();
    await heading(page).getByText("Add a way to sign in").waitFor();
    assert.doesNotMatch(page.url(), /recover\./, "the secret has left the address");
    await setUpApp(page);
    await heading(page).getByText("Which of these have you lost?").waitFor();
    await button(page, "remove-lost").click();
    await saveCodes(page);
    await page.waitForURL((at) => at.href.startsWith(returnUrl));
    const told = await post("/mfa/sessions/result", { code: new URL(page.url()).searchParams.get("code") });
    assert.deepEqual([told.user_id, told.purpose], [user, "recover"]);
  });
  await visit(async (page) => {
    await page.goto(url);
    await heading(page).getByText("This link has been used").waitFor();
    await picture(page, "link-used");
  });
});
