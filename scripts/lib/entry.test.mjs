import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { beforeEach, test } from "node:test";

// What the entry imports, as this test has it.
const crate = { state: { criticalError: false, instanceId: 0 }, resets: 0, fetch: null, scheduled: null };
globalThis.crateOfTheTest = crate;
const stubs = {
  "cloudflare:workers": "export class WorkerEntrypoint { constructor(ctx, env) { Object.assign(this, { ctx, env }); } }",
  "./bindings.js": `const crate = globalThis.crateOfTheTest;
    export const __worker_init_state = () => crate.state;
    export const __wbg_reset_state = () => crate.resets++;
    export const fetch = (...all) => crate.fetch(...all);
    export const scheduled = (...all) => crate.scheduled(...all);`,
};
registerHooks({
  resolve(specifier, context, next) {
    if (!Object.hasOwn(stubs, specifier)) return next(specifier, context);
    return { url: `data:text/javascript,${encodeURIComponent(stubs[specifier])}`, format: "module", shortCircuit: true };
  },
});
let uncaught;
globalThis.addEventListener = (_, listener) => (uncaught = listener);
const { default: Entry } = await import("./entry.mjs");

const panic = () => Promise.reject(new WebAssembly.RuntimeError("unreachable"));
let waited;
let entry;
beforeEach((t) => {
  t.mock.method(console, "log", () => {});
  t.mock.method(console, "error", () => {});
  crate.resets = 0;
  crate.fetch = async (request) => `answer to ${request}`;
  waited = [];
  entry = new Entry({ waitUntil: (work) => waited.push(work) }, { NAME: "value" });
});

test("a request goes on when its caller hangs up", async () => {
  const answer = entry.fetch("a request");
  assert.deepEqual(waited, [answer]);
  assert.equal(await answer, "answer to a request");
});

test("the crate gets the event, the variables and the context", async () => {
  for (const name of ["fetch", "scheduled"]) {
    crate[name] = async (...all) => all;
    assert.deepEqual(await entry[name]("an event"), ["an event", { NAME: "value" }, entry.ctx]);
  }
});

test("a crate that panicked answers nothing more: the next event has a new instance", async () => {
  crate.fetch = panic;
  await assert.rejects(entry.fetch("a request"), WebAssembly.RuntimeError);
  assert.equal(crate.resets, 0);
  crate.fetch = async () => `after ${crate.resets} resets`;
  assert.equal(await entry.fetch("another"), "after 1 resets");
  assert.equal(await entry.fetch("a third"), "after 1 resets");

  crate.scheduled = panic;
  await assert.rejects(entry.scheduled("an event"));
  assert.equal(await entry.fetch("a fourth"), "after 2 resets");
});

test("a panic that nobody waited for counts too, and an error that is none does not", async () => {
  uncaught({ error: new WebAssembly.RuntimeError("unreachable") });
  await entry.fetch("a request");
  assert.equal(crate.resets, 1);

  crate.fetch = () => Promise.reject(new TypeError("no body"));
  await assert.rejects(entry.fetch("a request"), TypeError);
  uncaught({ error: undefined });
  crate.fetch = async () => "an answer";
  await entry.fetch("another");
  assert.equal(crate.resets, 1);
});
