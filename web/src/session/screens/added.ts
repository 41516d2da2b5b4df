// After a way was set up: what comes next.
import type { WayType } from "../protocol.ts";
import { usePlain, useUi, useWords } from "../ui.ts";

/** A passkey and a phone go on to their name, which was proposed and can be changed now; it is never asked for before. */
const isNamed = (type: WayType) => type === "passkey" || type === "push";

export function useAdded() {
  const { session, goInstead, restart } = useUi();
  const { enrol } = useWords();
  const say = usePlain();
  return (type: WayType) => {
    const { stage, added } = session.view!;
    const named = isNamed(type) && added !== null;
    if (stage === "enrol") return goInstead(named ? `enrol/added/${added}` : "enrol/second");
    if (stage === "manage") session.voice.show(`${say(enrol.added[type])}.`);
    if (stage === "manage" && named) return goInstead(`manage/factor/${added}`);
    restart();
  };
}
