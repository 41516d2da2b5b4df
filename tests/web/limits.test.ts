// What goes wrong around a session: no connection, no answer, no time left, another browser, another tab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appCode, asked, button, code, fieldError, heading, make, move, opened, returned, type, visit, worldOf } from "./support.ts";

const app = { change: { user: { last_method: "totp" } } };

test("offline in mid-form: a banner, the digits stay, and it goes on by itself", () =>
  opened("verify-app", async ({ page, made, context }) => {
    const digits = await appCode(made);
    await code(page).fill(digits);
    await context.setOffline(true);
    await page.locator(".banner", { hasText: "You are offline. We will carry on when you are back; what you typed is kept." }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(300);
    assert.equal(await code(page).inputValue(), digits);
    assert.ok(!asked(made).includes("POST /verify"));
    await context.setOffline(false);
    await returned(page);
  }));

test("a connection that is cut after the code was taken spends no second try: the same press gets the first answer", () =>
  opened("verify-app", async ({ page, made }) => {
    await move(made, { faults: [{ path: "/verify", cut: true }] });
    await type(page, "000000");
    await fieldError(page).getByText("We can't check this right now.").waitFor();
    assert.equal(worldOf(made).user.counters.totp.failures, 1);
    await page.keyboard.press("Enter");
    await fieldError(page).getByText("That code is not right.").waitFor();
    assert.equal(worldOf(made).user.counters.totp.failures, 1, "no try was counted twice");
  }));

test("… and where that code was right, the page sees that it is done", () =>
  opened("verify-app", async ({ page, made }) => {
    await move(made, { faults: [{ path: "/verify", cut: true }] });
    await type(page, await appCode(made));
    await fieldError(page).getByText("We can't check this right now.").waitFor();
    await page.keyboard.press("Enter");
    await returned(page);
    assert.equal(asked(made).filter((request) => request === "POST /verify").length, 1);
  }));

test("without an answer the page says at 5 s that it takes long, at 10 s that it can't check, and looks before it sends again", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    await move(made, { faults: [{ path: "/verify", delay: 14_000 }] });
    await type(page, "000000");
    const submit = button(page, "submit");
    assert.equal(await submit.getAttribute("aria-busy"), "true");
    await page.clock.fastForward(450);
    await submit.locator(".spinner").waitFor();
    await submit.click({ force: true });
    await page.clock.fastForward(5_000);
    await page.getByText("This is taking longer than usual.").first().waitFor();
    await page.clock.fastForward(5_000);
    await fieldError(page).getByText("We can't check this right now. Try again in a moment.").waitFor();
    assert.equal(asked(made).filter((request) => request === "POST /verify").length, 1, "a second press did nothing");
    worldOf(made).requests.length = 0;
    await type(page, "000001");
    await fieldError(page).getByText("not right").waitFor();
    assert.deepEqual(worldOf(made).requests.map(({ method, path }) => `${method} ${path}`), ["GET /state", "POST /verify"]);
  });
});

test("expiring is announced at 60 s and put off by a press; expired leads back with error=expired", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    await code(page).waitFor();
    assert.equal(await button(page, "keep-open").count(), 0);
    await move(made, { advance: 545 });
    await page.clock.fastForward(545_000);
    await page.locator(".banner.warn", { hasText: /This page closes in 0:5\d\./ }).waitFor();
    assert.match(await page.locator("[data-voice=polite]").textContent().then(String), /^$|This page closes/);
    await button(page, "keep-open").click();
    await button(page, "keep-open").waitFor({ state: "detached" });
    assert.ok(asked(made).includes("POST /keep-open"));
    await move(made, { advance: 601 });
    await page.clock.fastForward(601_000);
    await heading(page).getByText("This page has expired").waitFor();
    await page.getByRole("link", { name: "Back to" }).click();
    const back = await returned(page);
    assert.deepEqual([back.get("error"), back.get("state"), back.get("code")], ["expired", "s-123", null]);
  });
});

test("at the very end of its 60 minutes the page cannot be kept open, and does not say so", () =>
  opened("expiring", async ({ page }) => {
    await page.locator(".banner.warn").waitFor();
    assert.equal(await button(page, "keep-open").count(), 0);
  }));

test("typing keeps the page open, and asks no more often than once a minute", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page }) => {
    await page.clock.install();
    await page.goto(made.url);
    await code(page).pressSequentially("1");
    await page.clock.fastForward(61_000);
    await code(page).pressSequentially("23");
    await page.waitForTimeout(200);
    assert.deepEqual(asked(made).filter((request) => !request.includes("challenge")), ["POST /open", "POST /keep-open"]);
  });
});

test("a second browser with the same link gets 'another browser', and the first one goes on", async () => {
  const made = await make("verify-app", app.change);
  await visit({}, async ({ page: first }) => {
    await first.goto(made.url);
    await code(first).waitFor();
    await visit({}, async ({ page: second }) => {
      await second.goto(made.url);
      await heading(second).getByText("This page belongs to another browser").waitFor();
      assert.equal(await second.getByText("nora@example.com").count(), 0, "whose account it is is not told");
    });
    await type(first, await appCode(made));
    await returned(first);
  });
});

test("the secret leaves the address at once, and a reload finds the session again by its name", async () => {
  const made = await make("verify-app", app.change);
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await code(page).waitFor();
    assert.equal(new URL(page.url()).hash, `#${made.id}`);
    await page.reload();
    await code(page).waitFor();
    const secret = made.hash.split(".")[1]!;
    const kept = await page.evaluate(() => JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
    assert.ok(!kept.includes(secret), "it is kept nowhere");
    assert.equal(await page.evaluate(() => document.cookie), "", "the cookie is none that a script could read");
  });
});

test("the cookie belongs to one session: two sessions of one browser do not meet", async () => {
  const [one, other] = [await make("verify-app", app.change), await make("verify-text-ask")];
  await visit({}, async ({ page, context }) => {
    await page.goto(one.url);
    await code(page).waitFor();
    const second = await context.newPage();
    await second.goto(other.url);
    await heading(second).waitFor();
    await type(page, await appCode(one));
    await returned(page);
    assert.equal(worldOf(other).session.stage, "verify");
    const cookies = await context.cookies();
    for (const made of [one, other]) {
      const cookie = cookies.find(({ name }) => name === `__Host-candado-${made.id}`)!;
      assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, "Lax", "/"]);
    }
  });
});

test("another session's name with this browser's cookie opens nothing", async () => {
  const [mine, theirs] = [await make("verify-app", app.change), await make("verify-app", app.change)];
  await visit({}, async ({ page: victim }) => {
    await victim.goto(theirs.url);
    await code(victim).waitFor();
    await visit({}, async ({ page, context }) => {
      await page.goto(mine.url);
      await code(page).waitFor();
      const other = await context.newPage();
      await other.goto(`${mine.url.split("#")[0]}#${theirs.id}`);
      await heading(other).getByText("This page belongs to another browser").waitFor();
    });
  });
});

test("a request from another origin is refused, and one without the session's name", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page, context }) => {
    await page.goto(made.url);
    await heading(page).waitFor();
    const [cookie] = await context.cookies();
    const send = (headers: Record<string, string>) =>
      fetch(`${made.url.split("/session")[0]}/session/cancel`, {
        method: "POST",
        headers: { Cookie: `${cookie!.name}=${cookie!.value}`, "Idempotency-Key": crypto.randomUUID(), ...headers },
        body: "{}",
      });
    const origin = new URL(made.url).origin;
    assert.equal((await send({ "Candado-Session": made.id, Origin: "https://evil.example" })).status, 403);
    assert.equal((await send({ "Candado-Session": made.id })).status, 403);
    assert.equal((await send({ Origin: origin })).status, 404);
    assert.equal(worldOf(made).session.ended, false);
    assert.equal((await send({ "Candado-Session": made.id, Origin: origin })).status, 200);
  });
});

test("what was done in one tab shows in the other when it is looked at", async () => {
  const made = await make("manage-list");
  await visit({}, async ({ page, context }) => {
    await page.goto(made.url);
    await button(page, "factor-app").waitFor();
    const second = await context.newPage();
    await second.goto(made.url);
    await button(second, "factor-app").click();
    await button(second, "remove").click();
    await button(second, "act").click();
    await second.locator(".toast").waitFor();
    await page.bringToFront();
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await button(page, "factor-app").waitFor({ state: "detached" });
  });
});

test("Back from the first screen leaves without an answer to the application", async () => {
  const made = await make("verify-app", app.change);
  await visit({}, async ({ page }) => {
    await page.goto(`${new URL(made.url).origin}/dev/returned?before`);
    await page.goto(made.url);
    await code(page).waitFor();
    await page.goBack();
    await page.waitForURL(/before/);
    assert.ok(!asked(made).includes("POST /cancel"));
  });
});

test("a page that was cancelled cannot be used by going back to it", () =>
  opened("verify-app", async ({ page, made }) => {
    await button(page, "cancel").click();
    await returned(page);
    await page.goto(`${made.url.split("#")[0]}#${made.id}`);
    await heading(page).getByText("This page has been used").waitFor();
  }));

test("a redirect to another host than the application's is not followed", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page }) => {
    await page.route("**/session/cancel", (route) => route.fulfill({ json: { redirect: "https://evil.example/?error=access_denied" } }));
    await page.goto(made.url);
    await button(page, "cancel").click();
    await heading(page).getByText("This link is not complete").waitFor();
    assert.match(page.url(), /\/session#/);
  });
});

test("a browser that keeps no cookies is told so, and the link stays good for another", async () => {
  const made = await make("verify-app");
  await visit({}, async ({ page }) => {
    await page.addInitScript(() => Object.defineProperty(navigator, "cookieEnabled", { get: () => false }));
    await page.goto(made.url);
    await page.getByText("Your browser blocks the cookie this page needs. Allow cookies for").waitFor();
    assert.deepEqual(asked(made), []);
  });
});

test("a browser that says it keeps cookies and drops them is told so, too", async () => {
  const made = await make("verify-app", app.change);
  await visit({}, async ({ page, context }) => {
    await page.goto(made.url);
    await code(page).waitFor();
    await context.clearCookies();
    await type(page, "123456");
    await heading(page).getByText("This page needs a cookie").waitFor();
  });
});

test("without JavaScript the page says what it needs, in both languages", () =>
  visit({ javaScriptEnabled: false }, async ({ page }) => {
    const made = await make("verify-app");
    await page.goto(made.url);
    const shown = page.locator("noscript p");
    assert.deepEqual(await shown.allInnerTexts(), ["This page needs JavaScript. Turn it on and reload.", "Esta página necesita JavaScript. Actívalo y recarga."]);
    assert.ok((await shown.first().boundingBox())!.height > 0);
  }));

test("the language is switched by one press, on the page and for what is sent", async () => {
  const made = await make("verify-app", { ...app.change, session: { locale: "en" } });
  await visit({}, async ({ page }) => {
    await page.goto(made.url);
    await code(page).fill("123");
    await page.getByRole("button", { name: "Español" }).click();
    await heading(page).getByText("Confirma que eres tú").waitFor();
    assert.equal(await code(page).inputValue(), "123", "what was typed stays");
    assert.equal(worldOf(made).session.locale, "es");
    await page.reload();
    await heading(page).getByText("Confirma que eres tú").waitFor();
  });
});
