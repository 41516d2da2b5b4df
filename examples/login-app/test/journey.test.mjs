// The whole journey in a browser: three people, every way in, and what happens when things go wrong. Once with the
// demo client, and once with one that requires step-up, as docs/guides/going-live.md makes it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { Person } from "./people.mjs";
import { startServices } from "./services.mjs";

describe("the journey", { concurrency: true }, () => {
  let services;
  before(async () => (services = await startServices()));
  after(() => services?.stop());
  test("with the demo client", (t) => journey(t, services, { ...services.apps.plain, numbers: "60", pictures: process.env.SCREENSHOTS }));
  test("with a client that requires step-up", (t) => journey(t, services, { ...services.apps.stepUp, numbers: "61" }));
});

async function journey(t, { sandbox, said }, { app, smsDomain, numbers, pictures }) {
  // A browser each: what is copied in one is not pasted in the other.
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: process.env.CHROMIUM_ARGUMENTS?.split(" ") });
  t.after(() => browser.close());
  const digits = String(Date.now()).slice(-6);
  const [ann, bob, carol] = await Promise.all(
    ["Ann", "Bob", "Carol"].map((name, index) => Person.arrive(browser, { app, sandbox, pictures }, name, `+34${numbers}${index}${digits}`)),
  );

  let failed = false;
  const step = (name, run) =>
    t.test(name, { skip: failed && "an earlier step failed" }, async () => {
      try {
        await run();
      } catch (error) {
        failed = true;
        console.error(`What was started says:\n${said()}`);
        throw error;
      }
    });

  await step("Ann signs up and signs in with her password alone", async () => {
    await ann.page.goto("/");
    await ann.look("sign-in");
    await ann.open("Create an account");
    await ann.look("sign-up");
    await ann.signUp();
    await ann.look("home-without");
    await ann.signOut();
    await ann.givePassword();
    await ann.sees("You signed in with your password");
  });

  await step("a form from elsewhere is refused, and pages are locked down", async () => {
    const body = new URLSearchParams({ email: ann.email, password: ann.password });
    const forged = await fetch(`${app}/login`, { method: "POST", body, headers: { Origin: "https://evil.example" }, redirect: "manual" });
    assert.equal(forged.status, 403);
    const page = await fetch(`${app}/login`);
    assert.match(page.headers.get("content-security-policy"), /default-src 'none'.*script-src 'self'/);
    const [cookie] = await ann.context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Lax"]);
    await ann.context.addCookies([{ ...cookie, value: cookie.value.replace(/^./, (first) => (first === "A" ? "B" : "A")) }]);
    await ann.page.goto("/");
    await ann.reads("Sign in");
    await ann.context.addCookies([cookie]);
  });

  await step("Ann turns two-step verification on with the QR code", async () => {
    await ann.page.goto("/");
    await ann.open("Turn on two-step verification");
    await ann.look("security-off");
    await ann.press(/^Turn on/);
    await ann.reads("Set up your authenticator app");
    await ann.scan();
    await ann.look("set-up");
    await ann.page.setViewportSize({ width: 390, height: 780 });
    const [link, picture] = await Promise.all([ann.page.getByRole("link", { name: "Open it in your app" }), ann.page.getByRole("img", { name: /QR code/ })].map((part) => part.boundingBox()));
    assert.ok(link.y + link.height < picture.y, "a phone, which cannot scan itself, offers the link first");
    await ann.page.setViewportSize({ width: 1100, height: 760 });
    assert.equal(await ann.page.getByRole("link", { name: "Open it in your app" }).count(), 0);
    await ann.page.getByText("I cannot scan it").click();
    assert.equal((await ann.page.locator(".key").textContent()).replace(/\s/g, ""), ann.app.secret);
    await ann.type(ann.app.wrong());
    await ann.sees("You have 4 tries left");
    await ann.look("set-up-wrong");
    const field = ann.page.getByLabel(/code/);
    assert.deepEqual([await field.getAttribute("autocomplete"), await field.getAttribute("inputmode")], ["one-time-code", "numeric"]);
    const code = await ann.app.code();
    await ann.type(`${code.slice(0, 3)} ${code.slice(3)}`);
    await ann.readRecoveryCodes();
  });

  await step("she copies, downloads and prints her recovery codes, which are shown once", async () => {
    await ann.look("recovery-codes");
    await ann.press("Copy");
    await ann.sees("Copied");
    assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), `${ann.recoveryCodes.join("\n")}\n`);
    const [download] = await Promise.all([ann.page.waitForEvent("download"), ann.press("Download")]);
    assert.equal(download.suggestedFilename(), "meadow-recovery-codes.txt");
    assert.ok((await readFile(await download.path(), "utf8")).includes(ann.recoveryCodes.join("\n")));
    await ann.page.evaluate(() => (window.print = () => (window.printed = true)));
    await ann.press("Print");
    assert.ok(await ann.page.evaluate(() => window.printed));
    await ann.page.emulateMedia({ media: "print" });
    assert.deepEqual(await ann.page.locator("button:visible").allTextContents(), []);
    if (process.env.SCREENSHOTS) await ann.page.screenshot({ path: `${process.env.SCREENSHOTS}/recovery-codes-print.png` });
    await ann.page.emulateMedia({ media: "screen" });
    await ann.saveRecoveryCodes();
    await ann.sees("Two-step verification is on.");
    await ann.page.goto("/recovery-codes");
    await ann.reads("Security");
  });

  await step("she confirms her e-mail address and a phone number", async () => {
    await ann.confirmEmail();
    await ann.row("Text message").getByRole("link", { name: "Add" }).click();
    await ann.look("phone");
    const proof = ann.recoveryCodes.pop();
    await ann.field("Phone number").fill("600 123");
    await ann.prove(proof, "Continue");
    await ann.sees("Write the number with its country code");
    await ann.look("phone-wrong");
    await ann.field("Phone number").fill(ann.phone.replace(/(...)(...)(..)/, "$1 $2 $3 "));
    await ann.prove(proof, "Continue");
    const code = await ann.codeSent("sms");
    assert.ok(ann.lastMessage.text.endsWith(`\n@${smsDomain} #${code}`), "the SMS is bound to a domain, for WebOTP");
    await ann.look("phone-confirm");
    await ann.press("Send another code");
    await ann.sees(/You can ask for another one in 0:\d\d/);
    await ann.look("phone-too-soon");
    await ann.type(code);
    await ann.sees("Your phone number is confirmed");
    await ann.look("security-on");
  });

  await step("she signs in with her authenticator app, and a used code asks her to wait for the next", async () => {
    await ann.signOut();
    await ann.givePassword();
    await ann.reads("Confirm it is you");
    await ann.look("second-step");
    await ann.page.goto("/security");
    await ann.reads("Confirm it is you");
    const code = await ann.app.code();
    await ann.type(code);
    await ann.sees("your password and your authenticator app");
    await ann.look("home-with");
    await ann.signOut();
    await ann.givePassword();
    await ann.type(code);
    await ann.sees(/You have used this code already. Your app shows the next one in \d:\d\d/);
    await ann.look("code-used");
  });

  await step("she signs in with a recovery code, once", async () => {
    await ann.open("Use a recovery code");
    await ann.look("recovery-code");
    await ann.type(ann.recoveryCodes[0].toLowerCase());
    await ann.sees("your password and a recovery code");
    await ann.open("Security settings");
    await ann.sees("8 left");
    await ann.signOut();
    await ann.givePassword();
    await ann.open("Use a recovery code");
    await ann.type(ann.recoveryCodes[0]);
    await ann.sees("You have used this code already. Please use another one.");
  });

  await step("a slip of the finger is a wrong code, and costs no try", async () => {
    await ann.type("7QDP-9T2M");
    await ann.sees("That code is not right");
    await ann.page.goto("/login/code");
    await ann.typeBadly("12345");
    await ann.sees("That code is not right. You have 5 tries left");
    await ann.typeBadly("a code");
    await ann.sees("That code is not right. You have 5 tries left");
  });

  await step("Bob sets up, with his e-mail address and phone number confirmed", async () => {
    await bob.signUp();
    await bob.turnOn();
    await bob.confirmEmail();
    await bob.addPhone();
    await bob.signOut();
  });

  await step("wrong codes lock Carol's second step, and she sees for how long", async () => {
    await carol.signUp();
    await carol.turnOn();
    await carol.signOut();
    await carol.givePassword();
    for (const left of [4, 3, 2, 1]) {
      await carol.type(carol.app.wrong());
      await carol.sees(`You have ${left} ${left === 1 ? "try" : "tries"} left`);
    }
    await carol.type(carol.app.wrong());
    await carol.sees(/For your safety you can try again in (1:00|0:5\d)/);
    carol.lockedAt = Date.now();
    assert.ok(await carol.button("Continue").isDisabled());
    await carol.look("locked");
    const answer = await carol.page.goto("/login/code");
    assert.equal(answer.status(), 429);
    assert.ok(Number(answer.headers()["retry-after"]) > 30);
  });

  await step("in spite of the lock a recovery code lets her in", async () => {
    const { page } = carol;
    // Her first window stays open and counts down.
    carol.page = await carol.context.newPage();
    await carol.page.goto("/login/code?by=recovery_code");
    await carol.type(carol.recoveryCodes[3]);
    await carol.sees("your password and a recovery code");
    await carol.page.close();
    carol.page = page;
  });

  await step("she turns it off with her password and a recovery code", async () => {
    await carol.page.waitForFunction(() => document.querySelector("fieldset")?.disabled === true);
    const window = await carol.context.newPage();
    const locked = carol.page;
    carol.page = window;
    await carol.page.goto("/security");
    await carol.open(/Turn off/);
    await carol.look("turn-off");
    await carol.field("Password").fill("not her password");
    await carol.prove(carol.recoveryCodes[4], "Turn off");
    await carol.sees("The password is not right");
    await carol.field("Password").fill(carol.password);
    await carol.prove(carol.recoveryCodes[3], "Turn off");
    await carol.sees("You have used this code already");
    await carol.field("Password").fill(carol.password);
    await carol.prove(carol.recoveryCodes[4], "Turn off");
    await carol.sees("Two-step verification is off.");
    await carol.signOut();
    await carol.givePassword();
    await carol.sees("You signed in with your password.");
    carol.page = locked;
  });

  await step("Ann signs in by SMS", async () => {
    await ann.mayBeSentAgain("sms");
    await ann.page.goto("/login/code");
    await ann.press("Get a text message");
    await ann.sees("We sent a code to +34•••••••");
    await ann.look("sms-sent");
    // A phone's browser hands over the code of the message, and the form goes off by itself (WebOTP).
    await ann.page.addInitScript(() => {
      window.OTPCredential = class {};
      navigator.credentials.get = ({ otp }) => new Promise((resolve) => (window.arrives = (code) => otp.transport.includes("sms") && resolve({ code })));
    });
    await ann.page.goto("/login/code?by=sms");
    await ann.page.evaluate((code) => window.arrives(code), await ann.codeSent("sms"));
    await ann.sees("your password and a text message");
    await ann.signOut();
  });

  await step("Ann signs in by e-mail", async () => {
    await ann.mayBeSentAgain("email");
    await ann.givePassword();
    await ann.press("Get an e-mail");
    await ann.type(await ann.codeSent("email"));
    await ann.sees("your password and an e-mail");
  });

  await step("Ann moves to another device for a code; codes of the old one do not confirm it", async () => {
    await ann.open("Security settings");
    await ann.open("Move to another device");
    await ann.reads("Move to another device");
    await ann.look("move");
    await ann.prove(ann.app.wrong(), "Continue");
    await ann.sees("That code is not right. You have 4 tries left");
    await ann.prove(await ann.app.code(), "Continue");
    await ann.reads("Set up your new device");
    await ann.look("new-device");
    const old = ann.app;
    await ann.scan();
    assert.notEqual(ann.app.secret, old.secret);
    await ann.type(await old.code());
    await ann.sees("That code is from your old device");
    await ann.type(await ann.app.code());
    await ann.sees("Your new device is set up, and the old one no longer works");
  });

  await step("she makes new recovery codes for a code, and those she had are dead", async () => {
    const before = ann.recoveryCodes;
    await ann.makeNewCodes(await ann.app.code());
    assert.ok(before.every((code) => !ann.recoveryCodes.includes(code)));
    await ann.saveRecoveryCodes();
    await ann.sees("Your new recovery codes are the only ones that work");
    await ann.row("Text message").getByRole("link", { name: "Remove" }).click();
    await ann.look("remove");
    await ann.prove(before[1], "Remove");
    await ann.sees("That code is not right");
  });

  /** Scans the new device's QR code, which the recovery code led to with nothing in between. */
  const bindNewDevice = async (person) => {
    await person.reads("Set up your new device");
    for (const elsewhere of ["/", "/security", "/security/off", "/recovery-codes", "/recovery-codes/new"]) {
      await person.page.goto(elsewhere);
      await person.reads("Set up your new device");
    }
    const lost = person.app;
    await person.scan();
    await person.type(await lost.code());
    await person.sees("That code is not right");
    await person.type(await person.app.code());
    await person.sees("Your new device is set up, and the lost one no longer works");
    return lost;
  };

  await step("Bob lost his device: an e-mail lets him bind a new one, and nothing else", async () => {
    await bob.mayBeSentAgain("email");
    await bob.givePassword();
    await bob.open("I have lost my device");
    await bob.look("lost-device");
    await bob.press("Send me a code by e-mail");
    await bob.reads("Recover your access");
    const code = await bob.codeSent("email");
    assert.match(code, /^\d{8}$/);
    await bob.look("recover");
    await bob.type(code === "00000000" ? "11111111" : "00000000");
    await bob.sees("You have 4 tries left");
    await bob.typeBadly("12345");
    await bob.sees("The code in the message has 8 digits");
    await bob.type(`${code.slice(0, 4)} ${code.slice(4)}`);
    await bob.look("rebind");
    const lost = await bindNewDevice(bob);
    await bob.look("rebound");
    await bob.signOut();
    await bob.givePassword();
    await bob.type(await lost.code());
    await bob.sees("That code is not right");
    await bob.type(await bob.app.code());
    await bob.sees("your password and your authenticator app");
  });

  await step("he makes new recovery codes, and when he loses the device again one of them does as well", async () => {
    await bob.page.goto("/security");
    await bob.makeNewCodes(await bob.app.code());
    await bob.saveRecoveryCodes();
    await bob.signOut();
    await bob.givePassword();
    await bob.open("I have lost my device");
    await bob.open("Use a recovery code");
    await bob.look("recover-by-code");
    await bob.type("7QDP-9T2M");
    await bob.sees("A recovery code has 24 letters and digits");
    await bob.type(bob.recoveryCodes[0].toLowerCase());
    await bindNewDevice(bob);
    await bob.sees("9 left");
    await bob.signOut();
  });

  await step("the third time a text message does", async () => {
    await bob.mayBeSentAgain("sms");
    await bob.givePassword();
    await bob.open("I have lost my device");
    await bob.press("Send me a code by text message");
    await bob.type(await bob.codeSent("sms"));
    await bindNewDevice(bob);
    await bob.signOut();
  });

  await step("Carol's first window has counted down", async () => {
    await carol.page.getByText("You can try again now.").waitFor({ timeout: Math.max(1000, carol.lockedAt + 62_000 - Date.now()) });
    assert.ok(await carol.button("Continue").isEnabled());
    await carol.look("unlocked");
  });

  await step("Ann removes her phone number for a code by e-mail", async () => {
    // The third message within the hour: two minutes after the second.
    await ann.mayBeSentAgain("email", 120);
    await ann.press("Send me a code by e-mail");
    await ann.sees("From the message we sent to");
    await ann.look("remove-sent");
    await ann.prove(await ann.codeSent("email"), "Remove");
    await ann.sees("Your phone number is removed");
  });

  await step("Ann turns it off with her password and a code", async () => {
    await ann.open(/Turn off/);
    await ann.field("Password").fill(ann.password);
    await ann.prove(await ann.app.code(), "Turn off");
    await ann.sees("Two-step verification is off.");
    await ann.signOut();
    await ann.givePassword();
    await ann.sees("You signed in with your password.");
  });

  await step("no browser had anything to complain about", () => {
    for (const { name, complaints } of [ann, bob, carol]) assert.deepEqual(complaints, [], name);
  });
}
