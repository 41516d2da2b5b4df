// Confirm it is you: the frame around each way, with what is common to them. Closed ways, turned-off ways, other ways.
import { useEffect, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Countdown, useOver } from "../../components/countdown.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { until } from "../../words/dates.ts";
import { closedUntil, isOff, lockedUntil, ordered } from "../order.ts";
import type { Method, MethodType, UnixTime } from "../protocol.ts";
import { useApp, usePlain, useUi, useView, useWords } from "../ui.ts";
import { HelpRow } from "./help.tsx";
import { AppCode } from "./verify-app.tsx";
import { usePasskeyPlace } from "./passkey-place.ts";
import { UseInstead, useInstead } from "./use-instead.tsx";
import { PasskeyWay } from "./verify-passkey.tsx";
import { PhoneRequest } from "./verify-phone.tsx";
import { RecoveryCode } from "./verify-recovery.tsx";
import { SentCode } from "./verify-sent.tsx";

/** Above it a closing is told by the time of day, below by a countdown. Seconds. */
const HOUR = 60 * 60;

export function VerifyScreen({ type }: { type: MethodType }) {
  const { session } = useUi();
  const words = useWords();
  const method = useView().methods.find((one) => one.type === type);
  return (
    <AccountScreen title={words.verify.title}>
      {session.wanted && (
        <Banner tone="info">
          <Say of={words.manage.turnOffFresh} />
        </Banner>
      )}
      {method ? <Way method={method} /> : <NoWay />}
      <Others />
    </AccountScreen>
  );
}

function Way({ method }: { method: Method }) {
  const { session } = useUi();
  const words = useWords();
  const say = usePlain();
  const closed = closedUntil(method, session.now());
  const [was, setWas] = useState<UnixTime | null>(closed);
  useEffect(() => {
    if (closed !== null) setWas(closed);
  }, [closed]);
  const over = useOver(was, say(words.verify.openAgain));
  if (isOff(method)) {
    return (
      <>
        <Banner tone="bad" focused>
          <Say of={words.verify.disabled} />
        </Banner>
        <UseInstead of={method} />
      </>
    );
  }
  if (closed !== null) return <Closed method={method} until={closed} />;
  return (
    <>
      {was !== null && over && (
        <Banner tone="good">
          <Say of={words.verify.openAgain} />
        </Banner>
      )}
      <Open method={method} />
    </>
  );
}

function Open({ method }: { method: Method }) {
  switch (method.type) {
    case "totp":
      return <AppCode method={method} />;
    case "passkey":
      return <PasskeyWay />;
    case "push":
      return <PhoneRequest method={method} />;
    case "sms":
    case "email":
      return <SentCode method={method} />;
    case "recovery_code":
      return <RecoveryCode />;
  }
}

/** It takes the focus, since the field it was in has gone, unless the page begins with it. */
function Closed({ method, until: end }: { method: Method; until: UnixTime }) {
  const { session, speech } = useUi();
  const words = useWords();
  const say = usePlain();
  const time = until(speech, end, session.now());
  const short = end - session.now() < HOUR;
  const other = useInstead(method);
  return (
    <>
      <Banner tone="warn" focused>
        {lockedUntil(method, session.now()) === null ? (
          <Say of={method.type === "push" ? words.verify.pushLimit : words.verify.sendLimit} time={time} />
        ) : short ? (
          <Say of={words.verify.closedFor} left={<Countdown until={end} said={(left) => say(words.verify.closedFor, { left })} />} />
        ) : (
          <Say of={words.verify.closedUntil} time={time} />
        )}
        {other && lockedUntil(method, session.now()) !== null && (
          <>
            {" "}
            <Say of={words.verify.anotherOpen} />
          </>
        )}
      </Banner>
      <UseInstead of={method} />
    </>
  );
}

/** Another way, or, for whoever has one only, what to do without it. */
function Others() {
  const { go } = useUi();
  const words = useWords();
  const ways = ordered(useView(), usePasskeyPlace());
  if (ways.length > 1) {
    return (
      <Rows>
        <Row name="other-way" title={<Say of={words.button.otherWay} />} onPress={() => go("verify/list")} />
      </Rows>
    );
  }
  return ways.length === 1 ? <LostRow label="lostIt" /> : null;
}

export function LostRow({ label }: { label: "lost" | "lostIt" }) {
  const { go } = useUi();
  const words = useWords();
  const { recovery } = useView();
  if (!recovery) return <HelpRow />;
  return (
    <Rows>
      <Row name="lost" title={<Say of={words.verify[label]} />} onPress={() => go("recover/list")} />
    </Rows>
  );
}

/** Nothing works in this browser. */
export function NoWay() {
  const words = useWords();
  const app = useApp();
  const { methods, recovery } = useView();
  const only = methods.length > 0 && methods.every(({ type }) => type === "passkey");
  return (
    <>
      <Banner tone="info">
        <Say of={only ? words.verify.passkeyUnsupported : words.verify.none} app={app} />
      </Banner>
      <HelpRow />
      {recovery && <LostRow label="lostIt" />}
    </>
  );
}
