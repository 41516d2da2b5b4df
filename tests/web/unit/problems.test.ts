import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../web/src/session/client.ts";
import { explain, type Circumstances } from "../../../web/src/session/problems.ts";
import { plain, languages } from "../../../web/src/words/words.ts";

const NOW = new Date("2026-11-24T12:00").getTime() / 1000;
const speech = { language: "en", tag: "en-GB", words: languages.en! };

function told(code: string, body: object, about: Partial<Circumstances> & Pick<Circumstances, "on">): string {
  const sentences = explain(new Failure(code, body), { speech, app: "Meadow", now: NOW, ...about });
  return sentences
    .map(({ message, values, deadline }) => plain(speech, message, { ...values, ...(deadline && { left: "0:17" }) } as Record<string, string>))
    .join(" ")
    .replace(/[\u2068\u2069]/g, "");
}

test("the first, second and third wrong code of an app are told in three ways", () => {
  const wrong = (running: number) => told("invalid_code", { attempts_remaining: 5 - running }, { on: "totp", running });
  assert.equal(wrong(1), "That code is not right. Check that your app is showing the code for Meadow.");
  assert.equal(wrong(2), "Still not right. Is the time on your phone set automatically? Codes depend on it. You have 3 tries left.");
  assert.equal(wrong(3), "That code is not right. You have 2 tries left.");
  assert.equal(wrong(4), "That code is not right. You have one try left.");
  assert.equal(wrong(5), "", "the screen shows that the way is closed");
});

test("tries are counted from three left, whichever code it was", () => {
  assert.doesNotMatch(told("invalid_code", { attempts_remaining: 4 }, { on: "sms", running: 1 }), /left/);
  assert.match(told("invalid_code", { attempts_remaining: 3 }, { on: "sms", running: 2 }), /new code\. You have 3 tries left\.$/);
  assert.match(told("invalid_code", { attempts_remaining: 2 }, { on: "recovery_code", running: 3 }), /do not matter\. You have 2 tries left\.$/);
});

test("an error with its tries is at most 140 characters", () => {
  for (const on of ["totp", "sms", "email", "recovery_code", "contact", "confirm"] as const) {
    for (const running of [1, 2, 3]) assert.ok(told("invalid_code", { attempts_remaining: 3 }, { on, running }).length <= 140, `${on} ${running}`);
  }
});

test("a used code says which: of the app with its time, of a message, of the saved ones", () => {
  assert.equal(told("code_already_used", { retry_after: 17 }, { on: "totp" }), "You have used this code already. Your app shows the next one in 0:17.");
  assert.equal(told("code_already_used", {}, { on: "sms" }), "This code has been used. Ask for a new one.");
  assert.equal(told("code_already_used", {}, { on: "recovery_code" }), "You have used this code before. Take another one.");
});

test("what could not be sent says why, and what else there is", () => {
  assert.equal(told("send_limited", { retry_after: 3 * 3600 }, { on: "sms" }), "No more codes can be sent until 15:00. Use another way.");
  assert.equal(told("delivery_failed", {}, { on: "sms", destination: "+34••••22" }), "The message to +34••••22 could not be delivered. Use another way.");
  assert.match(told("delivery_unavailable", {}, { on: "email" }), /right now/);
  assert.match(told("destination_not_allowed", {}, { on: "sms" }), /that number/);
});

test("what nobody expected is told without its name, and says what to do", () => {
  for (const code of ["internal", "unavailable", "something_new", "offline"]) {
    assert.equal(told(code, {}, { on: "totp" }), "We can't check this right now. Try again in a moment.");
  }
  assert.equal(told("rate_limited", { retry_after: 1 }, { on: "totp" }), "That was a little fast. Try again in one second.");
});

test("what the screen shows by itself is not told twice", () => {
  for (const code of ["locked", "moved", "aborted"]) assert.equal(told(code, {}, { on: "totp" }), "");
});
