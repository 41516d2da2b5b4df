// A press on a button, from its start to its end.
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure, SLOW } from "../session/client.ts";
import { useUi } from "../session/ui.ts";

/** Milliseconds until a press that is not answered shows that something is going on. */
const SPINNER = 400;

export interface Press {
  busy: boolean;
  spinning: boolean;
  slow: boolean;
  failure: Failure | null;
  /** A second press while the first is under way does nothing. */
  run(work: (signal: AbortSignal) => Promise<unknown>): Promise<void>;
  forget(): void;
}

export function usePress(): Press {
  const { session, speech } = useUi();
  const [stage, setStage] = useState<"idle" | "busy" | "spinning" | "slow">("idle");
  const [failure, setFailure] = useState<Failure | null>(null);
  const working = useRef(false);
  const alive = useRef(new AbortController());
  useEffect(() => () => alive.current.abort(), []);

  const run = async (work: (signal: AbortSignal) => Promise<unknown>) => {
    if (working.current) return;
    working.current = true;
    setFailure(null);
    setStage("busy");
    const spinner = setTimeout(() => setStage("spinning"), SPINNER);
    const slow = setTimeout(() => {
      setStage("slow");
      session.voice.say(speech.words.slow as string);
    }, SLOW);
    try {
      await work(alive.current.signal);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!alive.current.signal.aborted) setFailure(error);
    } finally {
      clearTimeout(spinner);
      clearTimeout(slow);
      working.current = false;
      if (!alive.current.signal.aborted) setStage("idle");
    }
  };

  return {
    busy: stage !== "idle",
    spinning: stage === "spinning" || stage === "slow",
    slow: stage === "slow",
    failure,
    run,
    forget: () => setFailure(null),
  };
}
