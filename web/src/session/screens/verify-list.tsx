// All ways of this user that work in this browser, the best one first.
import { Row, Rows } from "../../components/rows.tsx";
import { Say, Typed } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { until } from "../../words/dates.ts";
import { closedUntil, isOff, ordered } from "../order.ts";
import type { Method } from "../protocol.ts";
import { useUi, useView, useWords } from "../ui.ts";
import { usePasskeyPlace } from "./passkey-place.ts";
import { LostRow } from "./verify.tsx";

export function MethodList() {
  const { session, speech, go } = useUi();
  const words = useWords();
  const now = session.now();
  const line = (method: Method) => {
    const closed = closedUntil(method, now);
    if (isOff(method)) return <Say of={words.verify.off} />;
    if (closed !== null) return <Say of={words.verify.closedUntilShort} time={until(speech, closed, now)} />;
    if (method.type === "push") return <Typed text={method.device} />;
    return "destination" in method ? <Say of={words.verify.to} dest={method.destination} /> : null;
  };
  return (
    <AccountScreen title={words.verify.choose}>
      <Rows>
        {ordered(useView(), usePasskeyPlace()).map((method) => (
          <Row
            key={method.type}
            icon={method.type}
            name={`way-${method.type}`}
            title={<Say of={words.way[method.type]} />}
            line={line(method)}
            onPress={() => go(`verify/${method.type}`)}
          />
        ))}
      </Rows>
      <LostRow label="lost" />
    </AccountScreen>
  );
}
