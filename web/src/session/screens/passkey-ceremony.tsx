// What making a passkey and using one have in common: the browser's dialog, and what is shown around it.
import { useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Icon } from "../../components/icon.tsx";
import { Say } from "../../components/say.tsx";
import { PasskeyProblem, type PasskeyTrouble } from "../passkey.ts";
import type { Message } from "../../words/message.ts";
import { useWords } from "../ui.ts";

type Trouble = Exclude<PasskeyTrouble, "aborted">;

export function useCeremony() {
  const [waiting, setWaiting] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  /** The service's options, then the browser's dialog, then what is done with its answer. A dialog that came to nothing is shown. */
  async function run<Options, Answer>(
    signal: AbortSignal,
    options: () => Promise<Options>,
    dialog: (options: Options) => Promise<Answer>,
    finish: (options: Options, answer: Answer) => Promise<void>,
  ) {
    setTrouble(null);
    const asked = await options();
    setWaiting(true);
    try {
      const answer = await dialog(asked);
      setWaiting(false);
      await finish(asked, answer);
    } catch (error) {
      if (!(error instanceof PasskeyProblem)) throw error;
      if (error.trouble !== "aborted") setTrouble(error.trouble);
    } finally {
      if (!signal.aborted) setWaiting(false);
    }
  }

  return { waiting, trouble, run };
}

/** The drawing, and what the browser is waiting for or what came of it: `told` has the words for each trouble. */
export function Ceremony({ waiting, trouble, told }: { waiting: boolean; trouble: Trouble | null; told: (trouble: Trouble) => Message }) {
  const { verify } = useWords();
  return (
    <>
      <div class="drawing">
        <Icon name="passkey" large />
      </div>
      {waiting && (
        <Banner tone="info">
          <Say of={verify.passkeyWaiting} />
        </Banner>
      )}
      {trouble && (
        <Banner tone="info" focused>
          <Say of={told(trouble)} />
        </Banner>
      )}
    </>
  );
}
