// Confirm it is you: codes right, wrong, used and closed; messages; phones; the way back to the application.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appCode, asked, button, code, fieldError, heading, lastMessage, make, move, opened, returned, type, visit, waitFor, worldOf } from "./support.ts";

const app = { user: { last_method: "totp" } };
const text = { user: { last_method: "sms" } };

test("the code of the app signs in, and the browser goes back with a code and the state", () =>
  opened("verify-app", async ({ page, made }) => {
    await type(page, await appCode(made));
    await heading(page).getByText("Confirmed").waitFor();
    const back = await returned(page);
    assert.equal(back.get("code"), worldOf(made).session.result);
    assert.equal(back.get("state"), "s-123");
    assert.equal(back.get("error"), null);
  }));

for (const shape of ["XXX XXX", "XXX-XXX", " XXXXXX "]) {
  test(`a code pasted as "${shape}" signs in`, () =>
    opened(
      "verify-app",
      async ({ page, made }) => {
        const digits = [...(await appCode(made))];
        const pasted = shape.replace(/X/g, () => digits.shift()!);
        await page.evaluate((value) => navigator.clipboard.writeText(value), pasted);
        await code(page).focus();
        await page.keyboard.press("Control+V");
        assert.equal(await code(page).inputValue(), pasted, "the field takes what is pasted as it is");
        await page.keyboard.press("Enter");
        await returned(page);
      },
      { permissions: ["clipboard-read", "clipboard-write"] },
    ));
}

test("typing the last digit sends nothing; Enter does", () =>
  opened("verify-app", async ({ page, made }) => {
    await code(page).pressSequentially(await appCode(made));
    await page.waitForTimeout(300);
    assert.ok(!asked(made).includes("POST /verify"));
    await page.keyboard.press("Enter");
    await returned(page);
  }));

test("five digits are told without asking the service, and cost no try", () =>
  opened("verify-app", async ({ page, made }) => {
    await type(page, "12345");
    assert.equal(await fieldError(page).innerText(), "The code has 6 digits; you typed 5.");
    assert.ok(!asked(made).includes("POST /verify"));
    assert.equal(worldOf(made).user.counters.totp.failures, 0);
  }));

test("the first, second and third wrong code are told in three ways, and the digits stay, selected", () =>
  opened("verify-app", async ({ page }) => {
    const told: string[] = [];
    for (let time = 0; time < 3; time++) {
      const before = (await fieldError(page).allInnerTexts()).join("");
      await type(page, "000000");
      await fieldError(page).filter({ hasNotText: before || "nothing" }).waitFor();
      told.push(await fieldError(page).innerText());
    }
    assert.deepEqual(told, [
      "That code is not right. Check that your app is showing the code for Meadow.",
      "Still not right. Is the time on your phone set automatically? Codes depend on it. You have 3 tries left.",
      "That code is not right. You have 2 tries left.",
    ]);
    const selected = await code(page).evaluate((field: HTMLInputElement) => [field.value, field.selectionStart, field.selectionEnd]);
    assert.deepEqual(selected, ["000000", 0, 6]);
  }));

test("five wrong codes close the way; the countdown runs, survives sleep and a reload, and frees the field", async () => {
  const made = await make("verify-only-way", app);
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    for (let time = 1; time <= 5; time++) {
      await code(page).waitFor();
      await type(page, "000000");
      await page.waitForFunction((wanted) => document.querySelector(wanted), time < 5 ? ".error" : ".banner.warn");
      if (time < 5) await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    }
    const banner = page.locator(".banner.warn");
    assert.match(await banner.innerText(), /^Too many wrong codes\. For your safety this way is closed for (?:1:00|0:59)\.$/);
    assert.equal(await page.evaluate(() => document.activeElement!.className), "banner warn", "the focus is where the field was");
    await page.clock.fastForward(20_000);
    await move(made, { advance: 20 });
    assert.match(await banner.innerText(), /closed for 0:[34]\d\./);
    await page.reload();
    assert.match(await banner.innerText(), /closed for 0:[34]\d\./);
    await page.clock.fastForward(45_000);
    await move(made, { advance: 45 });
    await page.locator(".banner.good", { hasText: "You can try again now." }).waitFor();
    await type(page, await appCode(made));
    await returned(page);
  });
});

test("while one class is closed another way signs in, and the closed row says until when", () =>
  opened("verify-list", async ({ page, made }) => {
    await button(page, "other-way").click();
    assert.match(await button(page, "way-totp").innerText(), /^Authenticator app\s+Closed until \d\d:\d\d$/);
    await button(page, "way-sms").click();
    await button(page, "send").click();
    await code(page).waitFor();
    await type(page, lastMessage(made).code!);
    await returned(page);
  }));

test("a closed row opens the explanation, with the next best way as its button", () =>
  opened("verify-list", async ({ page }) => {
    await button(page, "other-way").click();
    await button(page, "way-totp").click();
    await page.locator(".banner.warn", { hasText: "You can use another way now." }).waitFor();
    assert.equal(await button(page, "use-instead").innerText(), "Use your passkey");
    assert.equal(await code(page).count(), 0);
  }));

test("a used code of the app says so, counts down to the next, and costs no try", () =>
  opened("verify-app", async ({ page, made }) => {
    const used = await appCode(made);
    worldOf(made).user.ways[1]!.lastStep = Math.floor(Date.now() / 30_000) + 1;
    await type(page, used);
    assert.match(await fieldError(page).innerText(), /^You have used this code already\. Your app shows the next one (?:in 0:\d\d|now)\.$/);
    assert.equal(worldOf(made).user.counters.totp.failures, 0);
  }));

test("a used code of a message says so and costs no try", () =>
  opened("verify-text-sent", async ({ page, made }) => {
    worldOf(made).session.spent.push("123123");
    await type(page, "123123");
    assert.equal(await fieldError(page).innerText(), "This code has been used. Ask for a new one.");
    assert.equal(worldOf(made).user.counters.delivered.failures, 0);
  }));

test("opening, a reload and Back send no message and open no dialog in a fresh browser", async () => {
  for (const state of ["verify-text-ask", "verify-email-ask", "verify-phone-ask", "verify-passkey"]) {
    const made = await make(state);
    await visit({}, async ({ page }) => {
      await page.addInitScript(() => {
        const forbid = () => console.error("a dialog was opened without a press");
        navigator.credentials.create = navigator.credentials.get = (options?: CredentialRequestOptions) => {
          if (options?.mediation !== "conditional") forbid();
          return new Promise(() => {});
        };
      });
      await page.goto(made.url);
      await button(page, "other-way").click();
      await heading(page).getByText("Choose another way").waitFor();
      await page.goBack();
      await heading(page).getByText("Confirm it is you").waitFor();
      await page.reload();
      await heading(page).waitFor();
      assert.deepEqual(asked(made), ["POST /open"], state);
      assert.deepEqual(worldOf(made).messages, [], state);
    });
  }
});

test("where this browser got in by text before, one text is sent when the page is opened, and none on a reload", () =>
  opened(
    "verify-text-ask",
    async ({ page, made }) => {
      await code(page).waitFor();
      assert.equal(worldOf(made).messages.length, 1);
      await page.reload();
      await code(page).waitFor();
      assert.equal(worldOf(made).messages.length, 1);
      await type(page, lastMessage(made).code!);
      await returned(page);
    },
    { change: { ...text, session: { auto_send: true } } },
  ));

test("what failed to be sent by itself is not sent again by a reload", async () => {
  const made = await make("verify-text-not-delivered");
  worldOf(made).session.auto_send = true;
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await page.locator(".banner.bad").waitFor();
    await page.reload();
    await button(page, "send").waitFor();
    assert.equal(asked(made).filter((request) => request === "POST /send").length, 1);
  });
});

test("a reload while a code is on its way keeps its deadline, and forgets the digits", async () => {
  const made = await make("verify-text-sent");
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await code(page).fill("123");
    const { sent } = worldOf(made).session.delivered.sms!;
    await page.reload();
    await code(page).waitFor();
    assert.equal(await code(page).inputValue(), "");
    assert.deepEqual(worldOf(made).session.delivered.sms!.sent, sent);
    assert.equal(worldOf(made).messages.length, 1);
  });
});

test("another code can be asked for once the countdown is over, and the former one no longer works", async () => {
  const made = await make("verify-text-sent");
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    const former = lastMessage(made).code!;
    assert.match(await page.locator(".resend").innerText(), /^Nothing yet\? You can ask for another in (?:1:00|0:5\d)\.$/);
    assert.equal(await button(page, "resend").count(), 0);
    await move(made, { advance: 61 });
    await page.clock.fastForward(61_000);
    await button(page, "resend").click();
    await page.locator(".banner.good", { hasText: "the former one no longer works" }).waitFor();
    await type(page, former === lastMessage(made).code ? "000000" : former);
    assert.match(await fieldError(page).innerText(), /Use the latest message/);
    await type(page, lastMessage(made).code!);
    await returned(page);
  });
});

test("the browser hands over the code of a text, which is sent by itself; leaving the screen ends the waiting", async () => {
  const made = await make("verify-text-sent");
  await visit({}, async ({ page }) => {
    // WebOTP exists in Chromium on Android only: its answer is given by the test, everything else is the page's.
    await page.addInitScript(() => {
      const { credentials } = navigator;
      Object.assign(window, { OTPCredential: class {}, waiting: 0, ended: 0 });
      const counts = window as unknown as { waiting: number; ended: number; hand: (code: string) => void };
      credentials.get = ((options: { otp?: { transport: string[] }; signal: AbortSignal }) =>
        new Promise((resolve, reject) => {
          if (options.otp?.transport[0] !== "sms") return;
          counts.waiting += 1;
          counts.hand = (digits) => resolve({ code: digits } as never);
          options.signal.addEventListener("abort", () => {
            counts.ended += 1;
            reject(new DOMException("", "AbortError"));
          });
        })) as typeof credentials.get;
    });
    // An effect of the page runs after its paint.
    const counted = (waiting: number, ended: number) =>
      page.waitForFunction(([begun, over]) => {
        const counts = window as never as { waiting: number; ended: number };
        return counts.waiting === begun && counts.ended === over;
      }, [waiting, ended]);
    await page.goto(made.url);
    await code(page).waitFor();
    await counted(1, 0);
    await button(page, "other-way").click();
    await heading(page).getByText("Choose another way").waitFor();
    await counted(1, 1);
    await page.goBack();
    await code(page).waitFor();
    await page.evaluate((digits) => (window as never as { hand: (code: string) => void }).hand(digits), lastMessage(made).code!);
    await returned(page);
    assert.match(lastMessage(made).text, /\n@\S+ #\d{6}$/, "the text's last line names the page's host");
  });
});

test("a request on the phone: one number here, approved there, and in", () =>
  opened("verify-phone-ask", async ({ page, made }) => {
    await button(page, "send").click();
    const { number } = (await waitFor(() => worldOf(made).session.push))!;
    assert.equal(await page.locator(".push-number").innerText(), number);
    await page.reload();
    assert.equal(await page.locator(".push-number").innerText(), number, "a reload shows the same number");
    await move(made, { push: "approved" });
    await returned(page);
  }));

test("whoever rejected it and why, the page says one thing, and can send again", () =>
  opened("verify-phone-ask", async ({ page, made }) => {
    await button(page, "send").click();
    await page.locator(".push-number").waitFor();
    await move(made, { push: "denied" });
    await page.locator(".banner", { hasText: "The request was not approved on your phone." }).waitFor();
    await button(page, "send").click();
    await page.locator(".push-number").waitFor();
    await move(made, { push: "approved" });
    await returned(page);
  }));

test("a recovery code signs in whatever its case and dashes, and tells how many are left", () =>
  opened("verify-recovery", async ({ page, made }) => {
    await button(page, "other-way").click();
    await button(page, "way-recovery_code").click();
    const [unused] = [...worldOf(made).user.codes].find(([, used]) => !used)!;
    await type(page, ` ${unused.toLowerCase().replace(/(.{4})/g, "$1-")} `);
    await page.getByText("That code is used up. You have 6 left.").waitFor();
    assert.equal(await button(page, "back").count(), 0, "what is spent is not gone back on");
    await button(page, "continue").click();
    await returned(page);
  }));

test("with few recovery codes left new ones can be made on the way in", () =>
  opened("verify-recovery-few-left", async ({ page, made }) => {
    await button(page, "other-way").click();
    await button(page, "way-recovery_code").click();
    await type(page, [...worldOf(made).user.codes].find(([, used]) => !used)![0]);
    await button(page, "make-codes").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
    await page.getByLabel("I have saved these codes").check();
    await button(page, "submit").click();
    await button(page, "continue").click();
    await returned(page);
  }));

test("'don't ask again' stands on app, passkey, phone and text, never on e-mail and recovery, and never unasked", async () => {
  for (const [state, there] of [
    ["verify-app", 1],
    ["verify-passkey", 1],
    ["verify-phone-ask", 1],
    ["verify-text-sent", 1],
    ["verify-email-sent", 0],
    ["verify-recovery", 0],
  ] as const) {
    await opened(state, async ({ page }) => {
      if (state === "verify-recovery") {
        await button(page, "other-way").click();
        await button(page, "way-recovery_code").click();
        await code(page).waitFor();
      }
      assert.equal(await page.getByLabel("Don't ask again").count(), there, state);
    });
  }
  await opened("verify-app", async ({ page }) => assert.equal(await page.getByLabel("Don't ask again").count(), 0), { change: { client: { remember_days: 0 } } });
});

test("a ticked box remembers this browser", () =>
  opened("verify-app", async ({ page, made }) => {
    await page.getByLabel("Don't ask again in this browser for 30 days").check();
    await type(page, await appCode(made));
    await returned(page);
    assert.equal(worldOf(made).user.trusted.length, 1);
  }));

test("Cancel goes back with access_denied, in one press", () =>
  opened("verify-app", async ({ page }) => {
    await button(page, "cancel").click();
    const back = await returned(page);
    assert.deepEqual([back.get("error"), back.get("state"), back.get("code")], ["access_denied", "s-123", null]);
  }));

for (const [sends, futile] of [["refused", true], ["country", true], ["down", false]] as const) {
  test(`where sending is ${sends}, the button is ${futile ? "the next best way, and asking again stands behind it" : "to ask again"}`, () =>
    opened(
      "verify-text-ask",
      async ({ page }) => {
        await button(page, "send").click();
        await page.locator(".banner.bad").waitFor();
        const primary = page.locator(".screen .button:not(.secondary)");
        assert.equal(await primary.count(), 1);
        assert.equal(await primary.getAttribute("name"), futile ? "use-instead" : "send");
        assert.equal(await button(page, "send").count(), 1);
      },
      { change: { ...text, client: { sending: sends } } },
    ));
}

test("the field is one that autofill, keyboards of phones and password managers know", async () => {
  const attributes = (page: Parameters<typeof code>[0]) =>
    code(page).evaluate((input) => Object.fromEntries(["type", "inputmode", "autocomplete", "autocapitalize", "spellcheck", "maxlength"].map((name) => [name, input.getAttribute(name)])));
  const digits = { type: "text", inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "off", spellcheck: "false", maxlength: null };
  await opened("verify-text-sent", async ({ page }) => assert.deepEqual(await attributes(page), digits));
  await opened("recover-code", async ({ page }) => {
    await button(page, "recover-recovery_code").click();
    assert.deepEqual(await attributes(page), { ...digits, inputmode: "text", autocomplete: "off", autocapitalize: "characters" });
  });
});
