// Setting up: each way, the recovery codes after the first, the offer of a second, and what a reload keeps.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import jsQR from "jsqr";
import { PNG } from "pngjs";
import type { Page } from "playwright-core";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { appCode, asked, button, code, fieldError, heading, lastMessage, make, move, opened, returned, type, visit, waitFor, worldOf } from "./support.ts";

const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

async function saveCodes(page: Page) {
  await heading(page).getByText("Save your recovery codes").waitFor();
  await page.getByLabel("I have saved these codes").check();
  await button(page, "submit").click();
}

test("an app is set up with the code it shows, ends with recovery codes, and a second way is offered once", () =>
  opened("enrol-list", async ({ page, made }) => {
    await button(page, "add-totp").click();
    await code(page).waitFor();
    await type(page, await appCode(made));
    await saveCodes(page);
    await heading(page).getByText("Add a second way?").waitFor();
    await button(page, "finish").click();
    assert.ok((await returned(page)).get("code"));
  }));

test("the first way cannot be finished without seeing the recovery codes", () =>
  opened("enrol-app", async ({ page, made }) => {
    await type(page, await appCode(made));
    await heading(page).getByText("Save your recovery codes").waitFor();
    await button(page, "submit").click();
    await page.getByText("Tick the box when they are saved.").waitFor();
    assert.equal(await page.evaluate(() => (document.activeElement as HTMLInputElement).name), "saved");
    await page.reload();
    await heading(page).getByText("Save your recovery codes").waitFor();
    assert.ok(!asked(made).includes("POST /recovery-codes/done"));
  }));

test("leaving without having saved them asks first, and Escape stays", () =>
  opened("enrol-codes", async ({ page, made }) => {
    await page.locator("header button").click();
    await page.locator("dialog[open]").getByText("Leave without saving?").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement!.textContent), "Stay");
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.ok(!asked(made).includes("POST /finish") && !asked(made).includes("POST /cancel"));
    await page.locator("header button").click();
    await button(page, "act").click();
    assert.ok((await returned(page)).get("code"), "the way is set up, so this is no cancelling");
  }));

test("the codes are the same after a reload, and never shown again after Done", async () => {
  const made = await make("enrol-codes");
  await visit({}, async ({ page }) => {
    const codes = async () => {
      await heading(page).getByText("Save your recovery codes").waitFor();
      return page.locator(".codes code").allInnerTexts();
    };
    await page.goto(made.url);
    const shown = await codes();
    assert.equal(new Set(shown).size, 10);
    await page.reload();
    assert.deepEqual(await codes(), shown);
    await saveCodes(page);
    await heading(page).getByText("Add a second way?").waitFor();
    await page.reload();
    await heading(page).getByText("Add a second way?").waitFor();
    assert.equal(await page.locator(".codes").count(), 0);
    const state = await page.evaluate(async (id) => (await fetch("/session/state", { headers: { "Candado-Session": id } })).text(), made.id);
    assert.ok(!state.includes(shown[0]!));
  });
});

test("the file is named after application, account and date, and holds the codes and what they are for", () =>
  opened("enrol-codes", async ({ page }) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
    const today = new Date();
    const date = [today.getFullYear(), today.getMonth() + 1, today.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
    assert.equal(download.suggestedFilename(), `meadow-recovery-codes-nora@example.com-${date}.txt`);
    const text = readFileSync(await download.path(), "utf8");
    for (const shown of await page.locator(".codes code").allInnerTexts()) assert.ok(text.includes(shown));
    assert.match(text, /^Recovery codes for Meadow\r\nAccount: nora@example\.com\r\n/);
  }));

test("Copy puts the codes on the clipboard and says so in its place", () =>
  opened(
    "enrol-codes",
    async ({ page }) => {
      await button(page, "copy").click();
      await button(page, "copy").getByText("Copied").waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      for (const shown of await page.locator(".codes code").allInnerTexts()) assert.ok(copied.includes(shown));
      await page.locator("[data-voice=polite]").getByText("The codes are copied.").waitFor();
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ));

test("on paper stand the codes, the application, the account and the date, and nothing to press", () =>
  opened("enrol-codes", async ({ page }) => {
    await page.emulateMedia({ media: "print" });
    const paper = await page.locator("body").innerText();
    assert.match(paper, /Recovery codes for\s+Meadow/);
    assert.match(paper, /nora@example\.com/);
    assert.match(paper, /Made:\s+\d+ \w+ \d{4}/);
    assert.equal(await page.locator("button:visible, a:visible, input:visible").count(), 0);
    for (const shown of await page.locator(".codes code").allInnerTexts()) assert.ok(paper.includes(shown));
  }));

test("a reload during set-up shows the same key; opening the page and Back make none", async () => {
  const made = await make("enrol-list");
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await heading(page).waitFor();
    assert.equal(worldOf(made).user.ways.length, 0);
    await button(page, "add-totp").click();
    await code(page).waitFor();
    const { secret } = worldOf(made).user.ways[0]!;
    await page.reload();
    await code(page).waitFor();
    await page.goBack();
    await heading(page).getByText("Protect your account").waitFor();
    await page.goForward();
    await code(page).waitFor();
    assert.deepEqual(worldOf(made).user.ways.map((way) => way.secret), [secret]);
    assert.equal(asked(made).filter((request) => request === "POST /factors").length, 1);
  });
});

test("a QR code that has expired is veiled, says so, and a new one has another key", () =>
  opened("enrol-app-expired", async ({ page, made }) => {
    const { secret } = worldOf(made).user.ways[0]!;
    await page.locator(".qr.veiled").waitFor();
    await button(page, "renew").click();
    await code(page).waitFor();
    assert.notEqual(worldOf(made).user.ways[0]!.secret, secret);
  }));

test("the QR code is read by two readers, from a picture of the dark page", async () => {
  const wasm = readFileSync(new URL("../../node_modules/zxing-wasm/dist/reader/zxing_reader.wasm", import.meta.url));
  prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length) as ArrayBuffer } });
  await opened(
    "enrol-app",
    async ({ page, made }) => {
      const view = worldOf(made).user.ways[0]!;
      await page.locator(".qr:not(.loading)").waitFor();
      const picture = await page.screenshot();
      const { width, height, data } = PNG.sync.read(picture);
      const first = jsQR(new Uint8ClampedArray(data), width, height);
      const [second] = await readBarcodes(new Uint8Array(picture), { formats: ["QRCode"] });
      for (const read of [first?.data, second?.text]) {
        assert.match(read ?? "", new RegExp(`^otpauth://totp/Meadow:nora%40example\\.com\\?secret=${view.secret}&issuer=Meadow`));
      }
    },
    { colorScheme: "dark" },
  );
});

test("on a phone 'Open my app' comes before the QR code, which is folded", () =>
  opened(
    "enrol-app",
    async ({ page, made }) => {
      const link = page.getByRole("link", { name: "Open my app" });
      assert.match((await link.getAttribute("href"))!, new RegExp(`^otpauth://totp/.*secret=${worldOf(made).user.ways[0]!.secret}`));
      assert.equal(await page.locator(".qr").count(), 0);
      const folded = page.getByText("Show the QR code");
      assert.ok((await link.boundingBox())!.y < (await folded.boundingBox())!.y);
      await folded.click();
      await page.locator(".qr img").waitFor();
    },
    phone,
  ));

test("whoever cannot scan gets the key in groups of four, to copy", () =>
  opened("enrol-app", async ({ page, made }) => {
    await page.getByText("I can't scan it").click();
    const { secret } = worldOf(made).user.ways[0]!;
    assert.equal(await page.locator(".key code").innerText(), secret!.match(/.{1,4}/g)!.join(" "));
  }));

test("a phone is connected from its side, and this page goes on by itself", () =>
  opened("enrol-list", async ({ page, made }) => {
    await button(page, "add-push").click();
    await page.getByText("Waiting for your phone").waitFor();
    assert.match(await page.getByText("Code, if asked for").innerText(), /[A-Z]{4}-\d{4}/);
    await move(made, { phone: true });
    await saveCodes(page);
    await heading(page).getByText("Phone connected").waitFor();
    await page.getByText("Connected: “Pixel”.").waitFor();
    await button(page, "continue").click();
    await heading(page).getByText("Add a second way?").waitFor();
  }));

test("a number counts only once its code came back", () =>
  opened("enrol-list", async ({ page, made }) => {
    await button(page, "add-sms").click();
    await page.getByLabel("Phone number, with country code").fill("600 111 222");
    await page.keyboard.press("Enter");
    await fieldError(page).getByText("Write it with the country code").waitFor();
    await page.getByLabel("Phone number, with country code").fill("+34 600-111.222");
    await page.keyboard.press("Enter");
    await code(page).waitFor();
    assert.equal(worldOf(made).user.phone, null);
    assert.equal(lastMessage(made).to, "+34600111222");
    await page.reload();
    await code(page).waitFor();
    assert.equal(worldOf(made).messages.length, 1, "a reload sends nothing");
    await type(page, lastMessage(made).code!);
    await saveCodes(page);
    assert.equal(worldOf(made).user.phone, "+34600111222");
  }));

test("an address that was mistyped can be changed before its code came back", () =>
  opened("enrol-address-sent", async ({ page, made }) => {
    await button(page, "change").click();
    await page.getByLabel("E-mail address").fill("ann@example.com");
    await move(made, { advance: 61 });
    await page.keyboard.press("Enter");
    await page.getByText("We sent a code to").waitFor();
    assert.equal(lastMessage(made).to, "ann@example.com");
  }));

test("over an existing way comes a confirmation first, and no new set of codes", async () => {
  const made = await make("enrol-over-existing");
  worldOf(made).session.stage = "verify";
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await type(page, await appCode(made));
    await heading(page).getByText("Add a way to sign in").waitFor();
    await button(page, "add-email").click();
    await page.getByLabel("E-mail address").fill("ann@example.com");
    await page.keyboard.press("Enter");
    await code(page).waitFor();
    await type(page, lastMessage(made).code!);
    assert.ok((await returned(page)).get("code"));
    assert.ok(!asked(made).includes("POST /recovery-codes"));
  });
});

test("a way at its limit says so and cannot be pressed", () =>
  opened("enrol-list-full", async ({ page }) => {
    assert.equal(await button(page, "add-totp").count(), 0);
    await page.getByText("You have 5 of these, the most there can be. Remove one first.").waitFor();
    assert.equal(await page.locator(".chip").count(), 1);
  }));

test("what the browser was told to do again by the service's rules is told in words", () =>
  opened("enrol-list", async ({ page, made }) => {
    worldOf(made).client.types = ["passkey", "sms"];
    await button(page, "add-totp").click();
    await page.locator(".banner.bad").waitFor();
    await waitFor(() => asked(made).includes("POST /factors"));
  }));

test("a reload in the middle of setting up leads back to the list, and what is done has no way back", () =>
  opened("enrol-app", async ({ page, made }) => {
    await page.reload();
    await code(page).waitFor();
    await button(page, "back").click();
    await heading(page).getByText("Protect your account").waitFor();
    assert.equal(await button(page, "back").count(), 0);
    await button(page, "add-totp").click();
    await type(page, await appCode(made));
    await heading(page).getByText("Save your recovery codes").waitFor();
    assert.equal(await button(page, "back").count(), 0);
    await page.getByLabel("I have saved these codes").check();
    await button(page, "submit").click();
    await heading(page).getByText("Add a second way?").waitFor();
    assert.equal(await button(page, "back").count(), 0);
  }));
