// A proof of the person, whatever it is made of.
import type { Verify } from "../protocol.ts";
import { useUi } from "../ui.ts";

/** Sends it. The session then moves by itself; where a proof was only wanted again, the act that wanted it follows. */
export function useProof() {
  const { session, restart } = useUi();
  return async (proof: Verify, signal?: AbortSignal) => {
    const view = await session.send({ method: "POST", path: "/verify", body: proof }, signal);
    if (view.stage === "manage" && session.wanted) {
      const wanted = session.wanted;
      session.wanted = null;
      await wanted();
      restart();
    }
  };
}
