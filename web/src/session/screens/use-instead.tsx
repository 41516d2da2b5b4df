// The next best way, as the button of a screen on which nothing else can be done.
import { Button } from "../../components/button.tsx";
import { Say } from "../../components/say.tsx";
import { best } from "../order.ts";
import type { Method } from "../protocol.ts";
import { useUi, useView, useWords } from "../ui.ts";
import { usePasskeyPlace } from "./passkey-place.ts";

/** Null where there is none that is open. */
export function useInstead({ type }: Method): Method | null {
  const { session } = useUi();
  return best(useView(), usePasskeyPlace(), session.now(), type);
}

export function UseInstead({ of }: { of: Method }) {
  const { go } = useUi();
  const { use } = useWords();
  const other = useInstead(of);
  if (!other) return null;
  return (
    <Button name="use-instead" onPress={() => go(`verify/${other.type}`)}>
      <Say of={use[other.type]} />
    </Button>
  );
}
