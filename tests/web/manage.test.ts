// Manage: names, removing, codes, remembered browsers, the switch that ends it; and the path of a lost device.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appCode, asked, button, code, fieldError, heading, lastMessage, make, move, opened, returned, type, visit, worldOf } from "./support.ts";

test("a way is renamed, and a name that is empty or taken is told at the field", () =>
  opened("manage-list", async ({ page, made }) => {
    await button(page, "factor-app").click();
    const name = page.getByLabel("Name");
    await name.fill("");
    await button(page, "save").click();
    await fieldError(page).getByText("1 to 40 characters.").waitFor();
    await name.fill("Pixel 8");
    await button(page, "save").click();
    await fieldError(page).getByText("You already have one with this name.").waitFor();
    await name.fill("Tablet");
    await button(page, "save").click();
    await page.locator(".toast", { hasText: "Saved." }).waitFor();
    assert.ok(worldOf(made).user.ways.some((way) => way.name === "Tablet"));
    await button(page, "back").click();
    await button(page, "factor-app").getByText("Tablet").waitFor();
  }));

test("removing says what remains and reminds of the password manager; the safe choice has the focus, and Escape is it", () =>
  opened("manage-list", async ({ page, made }) => {
    await button(page, "factor-passkey").click();
    await button(page, "remove").click();
    const dialog = page.locator("dialog[open]");
    assert.match(await dialog.innerText(), /Remove “iPhone”\?[\s\S]*You still have: Work phone, Pixel 8, \+34••••22 and n••@e•••\.[\s\S]*password manager/);
    assert.equal(await page.evaluate(() => document.activeElement!.textContent), "Keep");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => (document.activeElement as HTMLButtonElement).name), "remove", "the focus is back where it was");
    assert.ok(!asked(made).some((request) => request.startsWith("DELETE")));
    await button(page, "remove").click();
    await button(page, "act").click();
    await page.locator(".toast", { hasText: "Removed." }).waitFor();
    assert.equal(await button(page, "factor-passkey").count(), 0);
    assert.deepEqual(worldOf(made).user.trusted, [], "remembered browsers end");
  }));

test("the last way cannot be removed, and says what to do", () =>
  opened("manage-last", async ({ page }) => {
    await button(page, "factor-app").click();
    await page.getByText("This is your only way. Add another one first, or turn off two-step verification.").waitFor();
    assert.equal(await button(page, "remove").count(), 0);
  }));

test("what another window removed is shown as it is now", () =>
  opened("manage-list", async ({ page, made }) => {
    await button(page, "factor-app").click();
    const { user } = worldOf(made);
    user.ways = user.ways.filter(({ id }) => id !== "app");
    await button(page, "remove").click();
    await button(page, "act").click();
    await page.getByText("Something changed in another window. This is how it is now.").first().waitFor();
  }));

test("new recovery codes replace the old ones only after a question", () =>
  opened("manage-list", async ({ page, made }) => {
    const before = [...worldOf(made).user.codes.keys()];
    await button(page, "codes").click();
    await button(page, "make-codes").click();
    await page.locator("dialog[open]").getByText("The 7 you have stop working.").waitFor();
    assert.deepEqual([...worldOf(made).user.codes.keys()], before);
    await button(page, "act").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
    assert.equal([...worldOf(made).user.codes.keys()].filter((one) => before.includes(one)).length, 0);
    await page.getByLabel("I have saved these codes").check();
    await button(page, "submit").click();
    await page.getByText("You have 10 recovery codes left.").waitFor();
  }));

test("remembered browsers are forgotten one by one and all at once", () =>
  opened("manage-list", async ({ page, made }) => {
    await button(page, "browsers").click();
    await button(page, "forget-all").waitFor();
    await page.getByRole("button", { name: /^Forget .*Chrome, Windows/ }).click();
    await page.locator(".toast", { hasText: "Forgotten." }).waitFor();
    assert.deepEqual(worldOf(made).user.trusted.map(({ id }) => id), ["two"]);
    await page.getByRole("button", { name: /^Forget .*Safari, iPhone/ }).click();
    await page.getByText("No browser is remembered.").waitFor();
  }));

test("turning it off wants a fresh confirmation, and then does it without a second question", () =>
  opened(
    "manage-list",
    async ({ page, made }) => {
      await button(page, "turn-off").click();
      await page.locator("dialog[open]").waitFor();
      assert.equal(await page.evaluate(() => document.activeElement!.textContent), "Keep it on");
      await button(page, "act").click();
      await page.getByText("To turn it off, confirm once more that it is you.").waitFor();
      assert.equal(await page.getByLabel("Don't ask again").count(), 0, "nothing is remembered on the way to turning it off");
      await type(page, await appCode(made));
      await page.getByText("Two-step verification is off. Your password alone opens your account.").waitFor();
      assert.deepEqual(worldOf(made).user.ways, []);
      await button(page, "done").click();
      assert.ok((await returned(page)).get("code"));
    },
    { change: { user: { last_method: "totp" } } },
  ));

test("whoever turns back from that confirmation keeps everything", () =>
  opened(
    "manage-list",
    async ({ page, made }) => {
      await button(page, "turn-off").click();
      await button(page, "act").click();
      await code(page).waitFor();
      await button(page, "back").click();
      await heading(page).getByText("Ways to sign in").waitFor();
      assert.equal(worldOf(made).user.ways.length, 3);
    },
    { change: { user: { last_method: "totp" } } },
  ));

test("a fresh confirmation is not asked for twice", () =>
  opened("manage-list", async ({ page, made }) => {
    worldOf(made).session.verified_at = Math.floor(Date.now() / 1000) - 60;
    await button(page, "turn-off").click();
    await button(page, "act").click();
    await page.getByText("Your password alone opens your account.").waitFor();
  }));

test("managing begins with a confirmation", () =>
  opened("manage-verify-first", async ({ page, made }) => {
    await heading(page).getByText("Confirm it is you").waitFor();
    const state = await page.evaluate(async (id) => (await fetch("/session/state", { headers: { "Candado-Session": id } })).json(), made.id);
    assert.deepEqual([state.factors, state.trusted_devices], [[], []], "before it nothing is told");
    await button(page, "other-way").click();
    await button(page, "way-totp").click();
    await type(page, await appCode(made));
    await heading(page).getByText("Ways to sign in").waitFor();
  }));

test("a way is added from the list, and the list has it", () =>
  opened("manage-list", async ({ page, made }) => {
    await button(page, "add").click();
    await button(page, "add-totp").click();
    await code(page).waitFor();
    await type(page, await appCode(made));
    await page.locator(".toast", { hasText: "Authenticator app added." }).waitFor();
    await page.getByText("Authenticator app 2").waitFor();
  }));

test("an unfinished way can be finished or discarded", () =>
  opened("manage-unfinished", async ({ page, made }) => {
    await button(page, "factor-tablet").click();
    await button(page, "discard").click();
    await page.locator(".toast", { hasText: "Discarded." }).waitFor();
    assert.ok(!worldOf(made).user.ways.some(({ id }) => id === "tablet"));
  }));

// Lost device

async function setUpAgain(made: Awaited<ReturnType<typeof make>>, page: import("playwright-core").Page) {
  await heading(page).getByText("Add a way to sign in").waitFor();
  assert.deepEqual(await page.locator(".row[name^=add-]").evaluateAll((rows) => rows.map((row) => row.getAttribute("name"))), ["add-passkey", "add-push", "add-totp"], "without text and e-mail");
  await button(page, "add-totp").click();
  await code(page).waitFor();
  await type(page, await appCode(made));
  await heading(page).getByText("Which of these have you lost?").waitFor();
  const ticked = await page.locator("input[name=lost]").evaluateAll((boxes) => boxes.map((box) => (box as HTMLInputElement).checked));
  assert.deepEqual(ticked, [false, true, true, true, true], "all but the passkey that is backed up");
  await button(page, "remove-lost").click();
  await heading(page).getByText("Save your recovery codes").waitFor();
  await page.getByLabel("I have saved these codes").check();
  await button(page, "submit").click();
  assert.ok((await returned(page)).get("code"));
  assert.deepEqual(worldOf(made).user.ways.map(({ name }) => name), ["iPhone", "Authenticator app 2"]);
  assert.deepEqual([worldOf(made).user.phone, worldOf(made).user.email], [null, null]);
}

test("a lost device, from 'I have lost all of these' to a new way, by a recovery code: under three minutes", () =>
  opened("verify-list", async ({ page, made }) => {
    const began = Date.now();
    await button(page, "other-way").click();
    await button(page, "lost").click();
    await button(page, "recover-recovery_code").click();
    await type(page, [...worldOf(made).user.codes].find(([, used]) => !used)![0]);
    worldOf(made).user.counters.totp = { failures: 0, lockedUntil: null };
    await setUpAgain(made, page);
    assert.ok(Date.now() - began < 180_000);
  }));

for (const channel of ["sms", "email"] as const) {
  test(`… by a code through ${channel}`, () =>
    opened("recover-list", async ({ page, made }) => {
      await button(page, `recover-${channel}`).click();
      await code(page).waitFor();
      assert.match(lastMessage(made).code!, /^\d{8}$/);
      await type(page, lastMessage(made).code!);
      await setUpAgain(made, page);
    }));
}

test("… by a link", async () => {
  const made = await make("recover-list");
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await button(page, "recover-link").click();
    await page.getByText("We sent a link to").waitFor();
  });
  const { link } = worldOf(made);
  worldOf(made).session.browser = null;
  await visit({}, async ({ page }) => {
    await page.goto(`${made.url.split("#")[0]}#recover.${link.secret}`);
    await button(page, "continue").click();
    await setUpAgain(made, page);
  });
});

test("opening, prefetching and scanning a recovery link ten times changes nothing; one press does; it works once", async () => {
  const made = await make("link-page");
  const before = JSON.stringify(worldOf(made).session);
  for (let time = 0; time < 10; time++) {
    await fetch(made.url.split("#")[0]!, { method: time % 2 ? "HEAD" : "GET" });
    await visit({}, async ({ page }) => {
      await page.goto(made.url);
      await heading(page).getByText("Get back into Meadow?").waitFor();
    });
  }
  assert.equal(worldOf(made).link.state, "ready");
  assert.equal(JSON.stringify(worldOf(made).session), before);
  await visit({}, async ({ page, context }) => {
    await page.goto(made.url);
    await button(page, "continue").click();
    await heading(page).getByText("Add a way to sign in").waitFor();
    assert.ok(!page.url().includes(worldOf(made).link.secret), "the secret has left the address");
    const second = await context.newPage();
    await second.goto(made.url);
    await heading(second).getByText("This link has been used").waitFor();
  });
});

test("a cancel link stops the request by one press, and not by being opened", async () => {
  const made = await make("stop-page");
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await heading(page).getByText("Stop this request?").waitFor();
    await page.reload();
    assert.equal(worldOf(made).link.state, "ready");
    await button(page, "stop").click();
    await heading(page).getByText("Stopped").waitFor();
    assert.equal(worldOf(made).link.state, "stopped");
  });
});

test("a delayed link says when it opens, and opens then", async () => {
  const made = await make("link-early");
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await heading(page).getByText(/^This link opens on \d+ \w+ at \d\d:\d\d$/).waitFor();
    assert.equal(await button(page, "continue").count(), 0);
    await move(made, { advance: 25 * 3600 });
    await page.reload();
    await button(page, "continue").waitFor();
  });
});

test("nothing is removed when nothing was lost, and a press on 'Remove them' without a tick asks what", () =>
  opened("recover-lost-unticked", async ({ page, made }) => {
    await button(page, "remove-lost").click();
    await page.getByText("Tick what you have lost").waitFor();
    await button(page, "lost-none").click();
    await heading(page).getByText("Save your recovery codes").waitFor();
    assert.equal(worldOf(made).user.ways.length, 2);
  }));
