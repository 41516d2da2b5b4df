// Nobody at the desk: a warning after 14 minutes without a press, the end after 15. By the clock, so that sleep counts.

const MINUTE = 60_000;
export const WARNED_AFTER = 14 * MINUTE;
export const ENDED_AFTER = 15 * MINUTE;

export type Stage = "present" | "warned" | "ended";

export const stageOf = (idle: number): Stage => (idle >= ENDED_AFTER ? "ended" : idle >= WARNED_AFTER ? "warned" : "present");

/** Watches until it is stopped, and tells each stage once. */
export function watchIdle(tell: (stage: Stage) => void): () => void {
  let last = Date.now();
  let stage: Stage = "present";
  const look = () => {
    const now = stageOf(Date.now() - last);
    if (now === stage) return;
    stage = now;
    tell(stage);
  };
  const present = () => {
    // A press after the end, on a machine that slept, is too late.
    look();
    if (stage === "ended") return;
    last = Date.now();
    look();
  };
  const presses = ["pointerdown", "keydown", "wheel"] as const;
  for (const press of presses) addEventListener(press, present, { capture: true, passive: true });
  document.addEventListener("visibilitychange", look);
  const timer = setInterval(look, 5_000);
  return () => {
    for (const press of presses) removeEventListener(press, present, { capture: true });
    document.removeEventListener("visibilitychange", look);
    clearInterval(timer);
  };
}
