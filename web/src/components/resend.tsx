// Nothing came: another message, once the cooldown is over.
import { useState } from "preact/hooks";
import type { Sent, UnixTime } from "../session/protocol.ts";
import { useUi, useWords } from "../session/ui.ts";
import { until } from "../words/dates.ts";
import type { Message } from "../words/message.ts";
import { Banner } from "./banner.tsx";
import { Button, Slow } from "./button.tsx";
import { Countdown, useOver } from "./countdown.tsx";
import { usePress } from "./press.ts";
import { Say } from "./say.tsx";
import { Trouble, type About } from "./told.tsx";

interface Props {
  sent: Sent;
  /** The limit of messages. */
  closedUntil?: UnixTime | null;
  about: About;
  /** What the button says, and what is said when it was done. */
  label?: Message;
  said?: Message;
  send: (signal: AbortSignal) => Promise<unknown>;
}

export function Resend({ sent, closedUntil = null, about, label, said, send }: Props) {
  const { session, speech } = useUi();
  const { verify } = useWords();
  const press = usePress();
  const [resent, setResent] = useState(false);
  const act = label ?? verify.resend;
  const ready = useOver(sent.send_again_at, act as string);
  const closed = closedUntil !== null && closedUntil > session.now();
  const again = () =>
    void press.run(async (signal) => {
      setResent(false);
      await send(signal);
      setResent(true);
    });
  return (
    <div class="resend">
      {resent && (
        <Banner tone="good">
          <Say of={said ?? verify.resent} />
        </Banner>
      )}
      <Trouble of={press.failure} about={about} />
      {closed ? (
        <p class="hint">
          <Say of={verify.sendLimit} time={until(speech, closedUntil, session.now())} />
        </p>
      ) : ready ? (
        <>
          <Button kind="secondary" name="resend" press={press} onPress={again}>
            <Say of={act} />
          </Button>
          <Slow press={press} />
        </>
      ) : (
        <p class="hint">
          <Say of={verify.resendIn} left={<Countdown until={sent.send_again_at} />} />
        </p>
      )}
    </div>
  );
}
