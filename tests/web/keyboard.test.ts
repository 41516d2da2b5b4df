// Each purpose with the keyboard alone, the focus seen at each step; and what a reader of the screen hears.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { appCode, button, code, fieldError, focused, heading, make, move, opened, returned, type, visit, worldOf } from "./support.ts";

/** Presses Tab until the element of that name has the focus, which has to be seen on every stop. */
async function tabTo(page: Page, name: string) {
  for (let press = 0; press < 40; press++) {
    await page.keyboard.press("Tab");
    const stop = await focused(page);
    if (stop.name === "body") continue;
    assert.ok(stop.outlined, `${stop.name} ${stop.text}: the focus is not seen`);
    if (stop.name === name) return;
  }
  throw new Error(`Tab does not reach ${name}.`);
}

async function press(page: Page, name: string) {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}

test("verify: the field has the focus, and Enter submits", () =>
  opened("verify-app", async ({ page, made }) => {
    const first = await focused(page);
    assert.deepEqual([first.name, first.outlined], ["code", true]);
    await page.keyboard.type(await appCode(made));
    await page.keyboard.press("Enter");
    await returned(page);
  }));

test("verify, by another way: list, row, button", () =>
  opened("verify-passkey", async ({ page, made }) => {
    assert.equal((await focused(page)).name, "use-passkey");
    await press(page, "other-way");
    await heading(page).getByText("Choose another way").waitFor();
    assert.equal((await focused(page)).name, "h1", "a new screen begins at its heading");
    await press(page, "way-sms");
    await button(page, "send").waitFor();
    await press(page, "send");
    await code(page).waitFor();
    await page.waitForFunction(() => (document.activeElement as HTMLInputElement).name === "code");
    await page.keyboard.type(worldOf(made).messages.at(-1)!.code!);
    await page.keyboard.press("Enter");
    await returned(page);
  }));

test("enrol: an app, the codes, the end", () =>
  opened("enrol-list", async ({ page, made }) => {
    await press(page, "add-totp");
    await code(page).waitFor();
    assert.equal((await focused(page)).name, "code");
    await page.keyboard.type(await appCode(made));
    await page.keyboard.press("Enter");
    await heading(page).getByText("Save your recovery codes").waitFor();
    await tabTo(page, "saved");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await heading(page).getByText("Add a second way?").waitFor();
    await press(page, "finish");
    assert.ok((await returned(page)).get("code"));
  }));

test("manage: open a way, rename it, remove it, done", () =>
  opened("manage-list", async ({ page }) => {
    await press(page, "factor-app");
    await tabTo(page, "name");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Tablet");
    await page.keyboard.press("Enter");
    await page.locator(".toast", { hasText: "Saved." }).waitFor();
    await press(page, "remove");
    await page.locator("dialog[open]").waitFor();
    assert.equal((await focused(page)).name, "safe");
    // Tab stays inside.
    const stops = new Set<string>();
    for (let count = 0; count < 6; count++) {
      await page.keyboard.press("Tab");
      stops.add((await focused(page)).name);
    }
    assert.deepEqual([...stops].filter((name) => name !== "body").sort(), ["act", "safe"]);
    await press(page, "act");
    await page.locator(".toast", { hasText: "Removed." }).waitFor();
    await press(page, "done");
    assert.ok((await returned(page)).get("code"));
  }));

test("recover: a code, a new app, the lost ones, new codes", () =>
  opened("recover-list", async ({ page, made }) => {
    await press(page, "recover-recovery_code");
    await code(page).waitFor();
    await page.keyboard.type([...worldOf(made).user.codes].find(([, used]) => !used)![0]);
    await page.keyboard.press("Enter");
    await heading(page).getByText("Add a way to sign in").waitFor();
    await press(page, "add-totp");
    await code(page).waitFor();
    await page.keyboard.type(await appCode(made));
    await page.keyboard.press("Enter");
    await heading(page).getByText("Which of these have you lost?").waitFor();
    await press(page, "remove-lost");
    await heading(page).getByText("Save your recovery codes").waitFor();
    await tabTo(page, "saved");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    assert.ok((await returned(page)).get("code"));
  }));

/** Back from the field to the beginning of the page. */
async function toSkipLink(page: Page) {
  await code(page).waitFor();
  for (let count = 0; count < 2; count++) await page.keyboard.press("Shift+Tab");
  const { text, outlined } = await focused(page);
  assert.deepEqual([text, outlined], ["Skip to the content", true]);
}

test("Tab goes: skip link, Cancel, field, remember, Continue, other ways, foot", () =>
  opened("verify-app", async ({ page }) => {
    await toSkipLink(page);
    const stops: string[] = [];
    for (let count = 0; count < 8; count++) {
      const { name, text } = await focused(page);
      stops.push(name === "a" ? text : name);
      await page.keyboard.press("Tab");
    }
    assert.deepEqual(stops, ["Skip to the content", "cancel", "code", "remember", "submit", "other-way", "Help", "speak-es"]);
  }));

test("the skip link leads to the content and leaves the address alone", () =>
  opened("verify-app", async ({ page, made }) => {
    await toSkipLink(page);
    await page.keyboard.press("Enter");
    assert.equal((await focused(page)).name, "main");
    assert.equal(new URL(page.url()).hash, `#${made.id}`);
  }));

/** Everything that a reader is made to say while `act` goes on: texts put into live regions, and elements that get the focus. */
async function heard(page: Page, act: () => Promise<void>): Promise<string[]> {
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    const live = (node: Node) => (node instanceof Element ? node : node.parentElement)?.closest("[role=status], [role=alert]");
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        const region = live(target) ?? [...addedNodes].map(live).find(Boolean);
        if (region?.textContent?.trim()) said.push(`said: ${region.textContent.trim()}`);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
    addEventListener("focusin", ({ target }) => {
      const element = target as HTMLElement;
      const described = (element.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "");
      said.push(`focus: ${element.getAttribute("name")} ${described.join(" ")}`.trim());
    });
  });
  await act();
  await page.waitForTimeout(200);
  return page.evaluate(() => [...new Set((window as never as { said: string[] }).said)]);
}

test("a wrong code is heard once, with field, cause and tries, where the focus is in the field", () =>
  opened("verify-app", async ({ page }) => {
    assert.equal(await code(page).getAttribute("aria-invalid"), null, "nothing is wrong before the first answer");
    await type(page, "000000");
    await fieldError(page).waitFor();
    const all = await heard(page, async () => {
      await type(page, "000001");
      await fieldError(page).getByText("Still not right").waitFor();
    });
    const about = all.filter((text) => text.includes("Still not right"));
    assert.deepEqual(about, ["said: Still not right. Is the time on your phone set automatically? Codes depend on it. You have 3 tries left."]);
    assert.equal(await code(page).getAttribute("aria-invalid"), "true");
    const ids = (await code(page).getAttribute("aria-describedby"))!.split(" ");
    const described = await page.evaluate((list) => list.map((id) => document.getElementById(id)?.textContent), ids);
    assert.match(described.join(" "), /Open your authenticator app[\s\S]*Still not right/);
  }));

test("… and once, by the focus, where the focus was on the button", () =>
  opened("verify-app", async ({ page }) => {
    await code(page).fill("000000");
    const all = await heard(page, async () => {
      await button(page, "submit").click();
      await fieldError(page).waitFor();
    });
    const about = all.filter((text) => text.includes("not right"));
    assert.equal(about.length, 1);
    assert.match(about[0]!, /^focus: code Open your authenticator app.*That code is not right/);
  }));

test("a countdown is silent but for 30 seconds before its end and the end", async () => {
  const made = await make("verify-app-closed");
  worldOf(made).user.counters.totp.lockedUntil = Math.floor(Date.now() / 1000) + 60;
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    await page.locator(".banner.warn").waitFor();
    const spoken = async (act: () => Promise<void>) => (await heard(page, act)).filter((text) => text.startsWith("said"));
    assert.deepEqual(await spoken(() => page.clock.runFor(10_000)), []);
    const [warned] = await spoken(async () => {
      await page.clock.runFor(25_000);
    });
    assert.match(warned!.replace(/[\u2068\u2069]/g, ""), /^said: Too many wrong codes\. For your safety this way is closed for 0:30\.$/);
    await move(made, { advance: 60 });
    const [open] = await spoken(async () => {
      await page.clock.runFor(30_000);
    });
    assert.equal(open, "said: You can try again now.");
  });
});

test("the accessible tree of the code screen: one heading, one field with its name, one primary button", () =>
  opened("verify-app", async ({ page }) => {
    const tree = await page.locator("body").ariaSnapshot();
    for (const part of ["banner", 'heading "Confirm it is you" [level=1]', 'textbox "6-digit code"', 'checkbox "Don\'t ask again in this browser for 30 days"', 'button "Continue"', 'button "Try another way"', "contentinfo", 'link "Help"']) {
      assert.ok(tree.includes(part), `${part} in\n${tree}`);
    }
  }));

test("a row's name is its title and its line", () =>
  opened("verify-list", async ({ page }) => {
    await button(page, "other-way").click();
    await page.getByRole("button", { name: /^Authenticator app Closed until \S+$/ }).waitFor();
    await page.getByRole("button", { name: /^Text message To \S+$/ }).waitFor();
  }));

test("targets are 48 pixels high, and none is under 24 by 24", async () => {
  for (const [state, width] of [["verify-app", 360], ["manage-list", 360], ["enrol-codes", 360], ["manage-browsers", 1280]] as const) {
    await opened(
      state,
      async ({ page }) => {
        const small = await page.locator("button:visible, a:visible, input:visible").evaluateAll((all) =>
          all
            .map((element) => ({ name: element.getAttribute("name") ?? element.textContent, box: element.getBoundingClientRect() }))
            .filter(({ box }) => box.width > 1 && (box.width < 24 || box.height < 24))
            .map(({ name }) => name),
        );
        assert.deepEqual(small, [], state);
        const heights = await page.locator("main .button:visible, main .row:visible").evaluateAll((all) => all.map((element) => element.getBoundingClientRect().height));
        assert.ok(heights.every((height) => height >= 44), `${state}: ${heights.join(" ")}`);
      },
      { viewport: { width, height: 800 } },
    );
  }
});
