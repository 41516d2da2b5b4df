// On the development page, before the page's own script: what the browser lacks or answers; after it, what a person
// does. `data-driven` on the document says when it is over.
(() => {
  const { steps, stubs } = JSON.parse(document.currentScript.dataset.play);
  const define = (object, name, value) => Object.defineProperty(object, name, { configurable: true, get: () => value });
  const never = () => new Promise(() => {});
  const refuse = (name) => () => Promise.reject(new DOMException("", name));
  const credential = {
    id: "dW5rbm93bg",
    toJSON: () => ({ id: "dW5rbm93bg", response: { clientDataJSON: "e30", authenticatorData: "", signature: "" } }),
  };
  const all = {
    "no-webauthn": () => define(window, "PublicKeyCredential", undefined),
    "no-cookies": () => define(navigator, "cookieEnabled", false),
    apple() {
      define(navigator, "standalone", false);
      define(navigator, "maxTouchPoints", 5);
    },
    platform: () => (PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable = async () => true),
    "passkey-waiting": () => (navigator.credentials.get = navigator.credentials.create = never),
    "passkey-cancelled": () => (navigator.credentials.get = navigator.credentials.create = refuse("NotAllowedError")),
    "passkey-exists": () => (navigator.credentials.create = refuse("InvalidStateError")),
    "passkey-unknown": () => (navigator.credentials.get = async () => credential),
  };
  stubs.forEach((stub) => all[stub]());

  const find = (selector) => document.querySelector(/^[\w-]+$/.test(selector) ? `[name="${selector}"]` : selector);
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  async function appears(selector) {
    for (let turn = 0; turn < 400; turn++) {
      if (find(selector)) return find(selector);
      await pause(20);
    }
    throw new Error(`Nothing like ${selector} appeared.`);
  }

  async function play(step) {
    if (step.offline) {
      define(navigator, "onLine", false);
      dispatchEvent(new Event("offline"));
    } else if (step.wait) await appears(step.wait);
    else if (step.pause) await pause(step.pause);
    else if (step.press?.startsWith("@route ")) {
      await appears(".screen");
      history.pushState({ ...history.state, candado: step.press.slice(7), depth: 1 }, "");
      dispatchEvent(new PopStateEvent("popstate"));
      await pause(50);
    } else if (step.press) {
      (await appears(step.press)).click();
      await pause(60);
      // The next step belongs to the answer.
      while (document.querySelector("[aria-busy=true]") && !steps.at(-1).wait) await pause(20);
    } else if (step.type) {
      const input = await appears(step.type);
      input.value = step.text;
      input.removeAttribute("aria-invalid");
      await pause(30);
    }
  }

  addEventListener("load", async () => {
    for (const step of steps) await play(step);
    // A screen that is not opened is none that could be looked at.
    await appears(".screen, .bone");
    await pause(30);
    document.documentElement.dataset.driven = "done";
  });
})();
