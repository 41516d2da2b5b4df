// The people of the journey: each with a browser window, a phone, and an authenticator app that is not Candado's code.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import axe from "axe-core";
import { generateSync } from "otplib";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { findCode } from "../../../sandbox/code.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An authenticator app. It gives each code once, and waits for the next where a person would. */
export class Authenticator {
  #used = 0;

  constructor(uri) {
    const { protocol, host, pathname, searchParams } = new URL(uri);
    assert.equal(`${protocol}//${host}`, "otpauth://totp");
    this.account = decodeURIComponent(pathname.slice(1));
    this.secret = searchParams.get("secret");
    this.period = Number(searchParams.get("period") ?? 30);
    this.algorithm = (searchParams.get("algorithm") ?? "SHA1").toLowerCase();
    this.digits = Number(searchParams.get("digits") ?? 6);
  }

  at(step) {
    const { secret, algorithm, digits, period } = this;
    return generateSync({ secret, algorithm, digits, period, epoch: step * period });
  }

  now = () => Math.floor(Date.now() / 1000 / this.period);

  /** A code that was not given before: this step's, or the next one's as a clock that runs ahead would show it. */
  async code() {
    const step = Math.max(this.now(), this.#used + 1);
    while (step > this.now() + 1) await sleep(250);
    this.#used = step;
    return this.at(step);
  }

  /** One that is wrong whatever the clocks say. */
  wrong() {
    const near = [-2, -1, 0, 1, 2, 3].map((distance) => this.at(this.now() + distance));
    return ["000000", "111111", "222222", "333333", "444444", "555555", "666666"].find((code) => !near.includes(code));
  }
}

export class Person {
  static async arrive(browser, { app, sandbox, pictures }, name, phone) {
    const context = await browser.newContext({ baseURL: app, acceptDownloads: true });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: app });
    const person = new Person();
    const email = `${name.toLowerCase()}.${Date.now().toString(36)}@example.com`;
    Object.assign(person, { context, name, email, phone, sandbox, pictures, password: "four quiet green meadows", complaints: [], sentAt: {} });
    person.page = await context.newPage();
    person.page.setDefaultTimeout(20_000);
    person.page.on("console", (message) => {
      // An answer that is not 200 is logged as an error too, and is often what is wanted here.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource: the server responded")) person.complaints.push(message.text());
    });
    person.page.on("pageerror", (error) => person.complaints.push(String(error)));
    return person;
  }

  field = (label) => this.page.getByLabel(label, { exact: true });
  button = (name) => this.page.getByRole("button", { name });
  row = (title) => this.page.getByRole("listitem").filter({ has: this.page.getByRole("heading", { name: title }) });
  press = (name) => this.button(name).click();
  open = (name) => this.page.getByRole("link", { name }).click();
  async sees(text) {
    await this.page.getByText(text).first().waitFor();
  }
  async reads(title) {
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  async signUp() {
    await this.page.goto("/signup");
    await this.field("Name").fill(this.name);
    await this.field("E-mail address").fill(this.email);
    await this.field("Password").fill(this.password);
    await this.press("Create account");
    await this.reads(`Hello, ${this.name}`);
  }

  async givePassword() {
    await this.page.goto("/login");
    await this.field("E-mail address").fill(this.email);
    await this.field("Password").fill(this.password);
    await this.press("Sign in");
  }

  async signOut() {
    await this.press("Sign out");
    await this.reads("Sign in");
  }

  /** A code for a change, on the page of the change. */
  async prove(code, press) {
    await this.type(code, press, "Code");
  }

  /** What a browser would not send, as somebody sends it whose browser does. */
  async typeBadly(code) {
    await this.page.evaluate(() => document.querySelectorAll("form").forEach((form) => (form.noValidate = true)));
    await this.type(code);
  }

  async type(code, press = /Continue|Confirm/, label = /code/i) {
    await this.page.getByLabel(label).fill(code);
    await this.button(press).click();
  }

  /** Scans the QR code from the pixels on the screen. */
  async scan() {
    const image = this.page.getByRole("img", { name: /QR code/ });
    await image.scrollIntoViewIfNeeded();
    await image.evaluate((element) => element.decode());
    const { width, height, data } = PNG.sync.read(await image.screenshot());
    const found = jsqr(new Uint8ClampedArray(data), width, height);
    assert.ok(found, "a QR code is on the screen");
    this.app = new Authenticator(found.data);
    assert.match(this.app.account, new RegExp(`:\\s*${this.email}$`));
  }

  /** The recovery codes on the screen. */
  async readRecoveryCodes() {
    await this.reads("Save your recovery codes");
    this.recoveryCodes = await this.page.getByRole("list", { name: "Recovery codes" }).locator("code").allTextContents();
    assert.equal(new Set(this.recoveryCodes).size, 10);
  }

  async saveRecoveryCodes() {
    await this.page.getByRole("checkbox", { name: "I have saved these codes" }).check();
    await this.press("Done");
    await this.reads("Security");
  }

  /** From the security page. */
  async makeNewCodes(code) {
    await this.open("Make new codes");
    await this.look("new-codes");
    await this.prove(code, "Make new codes");
    await this.readRecoveryCodes();
  }

  async turnOn() {
    await this.page.goto("/security");
    await this.press(/^Turn on/);
    await this.scan();
    await this.type(await this.app.code());
    await this.readRecoveryCodes();
    await this.saveRecoveryCodes();
  }

  async addPhone() {
    await this.row("Text message").getByRole("link", { name: "Add" }).click();
    await this.field("Phone number").fill(this.phone);
    await this.prove(this.recoveryCodes.pop(), "Continue");
    await this.type(await this.codeSent("sms"));
    await this.sees("Your phone number is confirmed");
  }

  async confirmEmail() {
    await this.row("E-mail").getByRole("button", { name: "Confirm" }).click();
    await this.type(await this.codeSent("email"));
    await this.sees("Your e-mail address is confirmed");
  }

  /** The code of the newest message to this person that was not read before. */
  async codeSent(channel) {
    const to = channel === "sms" ? this.phone : this.email;
    this.read ??= new Set();
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(100)) {
      const messages = await (await fetch(`${this.sandbox}/messages?channel=${channel}&to=${encodeURIComponent(to)}`)).json();
      const message = messages.at(-1);
      if (!message || this.read.has(message.id)) continue;
      this.read.add(message.id);
      this.sentAt[channel] = Date.now();
      this.lastMessage = message;
      return findCode(message);
    }
    assert.fail(`no ${channel} message arrived`);
  }

  /** Candado keeps a minute between the first two messages on a channel, and then ever more. */
  async mayBeSentAgain(channel, seconds = 60) {
    const wait = this.sentAt[channel] + (seconds + 1) * 1000 - Date.now();
    if (wait > 0) await sleep(wait);
  }

  /** Looks at the page in light and dark: no accessibility rule is broken; keeps pictures if it is told a folder. */
  async look(name) {
    const folder = this.pictures;
    const size = this.page.viewportSize();
    for (const colorScheme of ["light", "dark"]) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await this.page.evaluate(axe.source);
      const { violations } = await this.page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(found, [], `${name}, ${colorScheme}`);
      for (const width of [390, 1100]) {
        await this.page.setViewportSize({ width, height: width === 390 ? 780 : 760 });
        const overflow = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${name} is ${overflow} px too wide at ${width} px`);
        if (!folder) continue;
        mkdirSync(folder, { recursive: true });
        await this.page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      }
    }
    await this.page.setViewportSize(size);
    await this.page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  }
}
