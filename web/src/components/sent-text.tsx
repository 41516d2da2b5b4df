// Where a code was sent, and how long it works: as it was when it was sent, since a number that shrinks helps nobody.
import type { Channel, Sent } from "../session/protocol.ts";
import { useWords } from "../session/ui.ts";
import { Say } from "./say.tsx";

export function SentText({ sent, type, destination }: { sent: Sent; type: Channel; destination: string }) {
  const { verify } = useWords();
  return (
    <>
      <Say of={verify.sent} dest={destination} n={Math.round((sent.expires_at - sent.sent_at) / 60)} />
      {type === "email" && (
        <>
          {" "}
          <Say of={verify.inbox} />
        </>
      )}
    </>
  );
}
