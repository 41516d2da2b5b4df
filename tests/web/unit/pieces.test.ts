import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../../../web/src/session/browser.ts";
import { bare, countWrong } from "../../../web/src/session/code.ts";
import { codesFile } from "../../../web/src/session/codes-file.ts";
import { entranceOf, isLink, isReturn } from "../../../web/src/session/fragment.ts";
import { languages } from "../../../web/src/words/words.ts";

const speech = { language: "en", tag: "en-GB", words: languages.en! };

test("spaces and dashes of every kind fall out of a code, and full-width digits are digits", () => {
  for (const typed of ["123456", "123 456", "123-456", " 123456 ", "123\u00a0456", "123–456", "１２３４５６", "1 2 3 4 5 6\n"]) assert.equal(bare(typed), "123456", typed);
});

test("five digits are five, a letter is none, and either is told before it is sent", () => {
  assert.equal(countWrong("12345", [6]), 5);
  assert.equal(countWrong("12345x", [6]), 5);
  assert.equal(countWrong("", [6]), 0);
  assert.equal(countWrong("123 456", [6]), null);
  assert.equal(countWrong("12345678", [6]), 8);
  assert.equal(countWrong("12345678", [6, 8]), null);
});

const ID = "njPQwW_K4fiRPeqGGlwYAQ";
const SECRET = "MSFJNbYfvAgrL8g-eFtZ3ZewIkifUMdwhMHOyEWkvWk";

test("the address names a session, opens one, or is a link of an e-mail", () => {
  assert.deepEqual(entranceOf(`#${ID}.${SECRET}`), { kind: "open", sessionId: ID, secret: SECRET });
  assert.deepEqual(entranceOf(`#${ID}`), { kind: "known", sessionId: ID });
  assert.deepEqual(entranceOf(`#recover.${SECRET}`), { kind: "link", secret: SECRET });
  assert.deepEqual(entranceOf(`#stop.${SECRET}`), { kind: "link", secret: SECRET });
});

test("an address that somebody has altered is nothing", () => {
  for (const hash of ["", "#", "#short", `#${ID}.`, `#${ID}.short`, `#${ID}.${SECRET}.more`, `#${ID}/../x`, `#${ID}.${SECRET}"><script>`, "#recover", `#.${SECRET}`]) {
    assert.deepEqual(entranceOf(hash), { kind: "nothing" }, hash);
  }
});

test("the page follows a redirect to the application's own host only, and to nothing that runs", () => {
  assert.ok(isReturn("https://shop.example/mfa?code=x", "shop.example"));
  assert.ok(isReturn("http://localhost:3000/mfa?code=x", "localhost:3000"));
  for (const redirect of [
    "https://evil.example/?code=x",
    "https://shop.example.evil.example/",
    "https://shop.example@evil.example/",
    "https://user@shop.example/",
    "http://shop.example/",
    "javascript:alert(1)//shop.example",
    "data:text/html,shop.example",
    "//shop.example/",
    "/mfa",
    "",
  ]) {
    assert.ok(!isReturn(redirect, "shop.example"), redirect);
  }
});

test("help is a page or a mailbox", () => {
  assert.ok(isLink("https://shop.example/help") && isLink("mailto:help@shop.example"));
  for (const url of ["javascript:alert(1)", "data:text/html,x", "/help", "http://shop.example", ""]) assert.ok(!isLink(url), url);
});

test("the file of the codes is named after application, account and date, and says how to use them", () => {
  const codes = ["AAAA-BBBB", "CCCC-DDDD"];
  const { name, text } = codesFile({ speech, app: "Meadow & Sons", account: "nora@example.com", codes, now: new Date("2026-11-24T12:00").getTime() / 1000 });
  assert.equal(name, "meadow-sons-recovery-codes-nora@example.com-2026-11-24.txt");
  for (const part of ["Recovery codes for Meadow & Sons", "Account: nora@example.com", "24 November 2026", "works once", ...codes]) assert.ok(text.includes(part), part);
});

test("no name reaches outside the folder, hides itself or changes the kind of the file", () => {
  const name = (app: string, account: string | null) => codesFile({ speech, app, account, codes: [], now: 0 }).name;
  for (const found of [name("../../etc/passwd", "a/b\\c"), name(".hidden", "x\u202etxt.exe"), name("مرج", null), name("", "")]) {
    assert.match(found, /^[\p{L}\p{N}@_][\p{L}\p{N}@._-]*-\d{4}-\d\d-\d\d\.txt$/u, found);
    assert.doesNotMatch(found, /[/\\\u202e]/);
  }
});

test("a passkey's name is proposed from browser and system", () => {
  const agents: [string, string][] = [
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome, Windows"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge, Windows"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"],
    ["Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome, Android"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Mac"],
    ["", "Passkey"],
  ];
  for (const [agent, name] of agents) assert.equal(describe(agent), name);
});
