// The Worker's entry: hands its events to the crate's functions, and gives a crate that panicked a new instance. `pack`
// bundles it with what wasm-bindgen makes of the crate.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as crate from "./bindings.js";

// The worker crate notes here what its own hooks see of a panic.
const state = crate.__worker_init_state();

export default class extends WorkerEntrypoint {
  fetch(request) {
    const response = guarded(() => crate.fetch(request, this.env, this.ctx));
    // It goes on when its caller hangs up: a code that was stored is sent, or taken back.
    this.ctx.waitUntil(response);
    return response;
  }

  scheduled(event) {
    return guarded(() => crate.scheduled(event, this.env, this.ctx));
  }
}

async function guarded(run) {
  if (state.criticalError) {
    console.log("Starting anew after a panic");
    crate.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  }
  try {
    return await run();
  } catch (error) {
    notePanic(error);
    throw error;
  }
}

// A panic in a task that nobody waits for.
addEventListener("error", ({ error }) => notePanic(error));

/** Memory that a panic has left may be half written: nothing more is done with it. */
function notePanic(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  console.error("The crate panicked", error);
  state.criticalError = true;
}
