// After a way was set up: where the session goes on (routes.tsx). In a list of ways the new one is also said.
import type { WayType } from "../protocol.ts";
import { usePlain, useUi, useWords } from "../ui.ts";

export function useAdded() {
  const { session, restart } = useUi();
  const { enrol } = useWords();
  const say = usePlain();
  return (type: WayType) => {
    if (session.view!.stage === "manage") session.voice.show(`${say(enrol.added[type])}.`);
    restart();
  };
}
