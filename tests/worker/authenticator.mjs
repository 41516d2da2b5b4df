// An authenticator app: reads an otpauth URI with the platform's URL parser and makes codes with otplib, so nothing
// here is Candado's own.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { generateSync } from "otplib";

export function parseOtpauth(text) {
  const url = new URL(text);
  assert.equal(url.protocol, "otpauth:");
  assert.equal(url.hostname, "totp");
  // Apps differ in what they make of a plus sign.
  assert.ok(!text.includes("+"), text);
  const [prefix, ...account] = decodeURIComponent(url.pathname.slice(1)).split(":");
  const { secret, issuer, algorithm, digits, period } = Object.fromEntries(url.searchParams);
  return { prefix, account: account.join(":"), secret, issuer, algorithm, digits: Number(digits), period: Number(period) };
}

export class Authenticator {
  constructor(otpauthUrl) {
    Object.assign(this, parseOtpauth(otpauthUrl));
    this.lastStep = 0;
  }

  /** An app of the ordinary kind that was given the secret alone. */
  static of(secret) {
    return new Authenticator(`otpauth://totp/x:y?secret=${secret}&issuer=x&algorithm=SHA1&digits=6&period=30`);
  }

  step() {
    return Math.floor(Date.now() / 1000 / this.period);
  }

  codeOf(step) {
    const { secret, digits, period } = this;
    return generateSync({ secret, digits, period, algorithm: this.algorithm.toLowerCase(), epoch: step * period });
  }

  /** The code the app shows. */
  code() {
    return this.codeOf(this.step());
  }

  /** A code that is good and was not given out before: of the window's three steps each once, then it waits for the next. */
  async freshCode() {
    const step = Math.max(this.lastStep + 1, this.step() - 1);
    while (step > this.step() + 1) await new Promise((resolve) => setTimeout(resolve, 200));
    // The window's first step is about to leave it.
    const leaving = step === this.step() - 1 && Date.now() / 1000 > (step + 2) * this.period - 2;
    this.lastStep = leaving ? step + 1 : step;
    return this.codeOf(this.lastStep);
  }

  /** A code of the right length that no step near now has, nor any of `others`. */
  wrongCode(others = []) {
    const step = this.step();
    if (this.near?.step !== step) {
      this.near = { step, codes: [-3, -2, -1, 0, 1, 2, 3].map((offset) => this.codeOf(step + offset)) };
    }
    const near = this.near.codes;
    for (;;) {
      const code = String(randomInt(10 ** this.digits)).padStart(this.digits, "0");
      if (!near.includes(code) && !others.includes(code)) return code;
    }
  }
}
