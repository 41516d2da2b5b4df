// Where setting up stands, as text.
import { useWords } from "../session/ui.ts";
import { Say } from "./say.tsx";
import { usePlain, useView } from "../session/ui.ts";

const steps = ["scan", "confirm", "save"] as const;
export type Step = (typeof steps)[number];

/** Only a first way ends with codes to be saved. */
export function Steps({ now }: { now: Step }) {
  const { enrol } = useWords();
  const say = usePlain();
  const { recovery_codes, factors, recovery_codes_remaining } = useView();
  const saves = recovery_codes !== null || (recovery_codes_remaining === 0 && !factors.some(({ state }) => state === "active"));
  return (
    <ol class="steps" aria-label={say(enrol.steps)}>
      {steps
        .filter((step) => step !== "save" || saves)
        .map((step) => (
          <li key={step} aria-current={step === now ? "step" : undefined}>
            <Say of={enrol.step[step]} />
          </li>
        ))}
    </ol>
  );
}
