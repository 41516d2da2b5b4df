// Everything is lost: a proof that was kept for this day, then a new way.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Slow } from "../../components/button.tsx";
import { CodeForm } from "../../components/code-form.tsx";
import { Countdown, useOver } from "../../components/countdown.tsx";
import { usePress } from "../../components/press.ts";
import { Resend } from "../../components/resend.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { dateAndTime, until } from "../../words/dates.ts";
import type { Recover, RecoverySent, RecoveryType } from "../protocol.ts";
import { useApp, usePlain, useUi, useView, useWords } from "../ui.ts";
import { HelpRow } from "./help.tsx";

const order: RecoveryType[] = ["recovery_code", "link", "sms", "email"];

export function RecoverList() {
  const { session, speech, go } = useUi();
  const words = useWords();
  const { recover } = words;
  const app = useApp();
  const { recovery } = useView();
  const press = usePress();
  const [pressed, setPressed] = useState<RecoveryType>("link");
  const methods = order.flatMap((type) => recovery?.methods.filter((method) => method.type === type) ?? []);
  const now = session.now();
  const begin = (type: RecoveryType) => {
    if (type === "recovery_code") return go("recover/code");
    setPressed(type);
    const body: Recover = { method: type };
    void press.run(async (signal) => {
      await session.send({ method: "POST", path: "/recover", body }, signal);
      go("recover/sent");
    });
  };
  const asked = methods.find(({ type }) => type === pressed);
  return (
    <AccountScreen title={recover.title}>
      <p>
        <Say of={methods.length === 0 ? recover.nothing : recover.lead} app={app} />
      </p>
      <Trouble of={press.failure} about={{ on: "act", destination: asked?.destination ?? "" }} />
      <Rows>
        {methods.map(({ type, destination, locked_until }) => (
          <Row
            key={type}
            icon={type}
            name={`recover-${type}`}
            title={type === "recovery_code" ? <Say of={recover.code} /> : <Say of={recover[type]} dest={destination ?? ""} />}
            line={locked_until !== null && locked_until > now && <Say of={words.verify.closedUntilShort} time={until(speech, locked_until, now)} />}
            busy={press.busy}
            onPress={() => begin(type)}
          />
        ))}
      </Rows>
      <Slow press={press} />
      {session.surroundings?.support_url && methods.length > 0 && (
        <p class="hint">
          <Say of={recover.none} />
        </p>
      )}
      <HelpRow />
    </AccountScreen>
  );
}

/** Sends the proof; the session then moves on by itself. */
function useRecovery(method: "recovery_code" | "email" | "sms") {
  const { session } = useUi();
  return (code: string, _remember: boolean, signal: AbortSignal) =>
    session.send({ method: "POST", path: "/recover/verify", body: { method, code } }, signal);
}

export function RecoverCode() {
  const id = useId();
  const words = useWords();
  const { recovery } = useView();
  const submit = useRecovery("recovery_code");
  const locked = recovery?.methods.find(({ type }) => type === "recovery_code")?.locked_until ?? null;
  return (
    <AccountScreen title={words.recover.title}>
      <Closable until={locked}>
        <p id={id}>
          <Say of={words.verify.recovery} />
        </p>
        <CodeForm lengths={null} label={<Say of={words.way.recovery_code} />} about={{ on: "recovery_code" }} describedBy={id} submit={submit} />
      </Closable>
    </AccountScreen>
  );
}

/** What a lock closes, and opens again when its time is over. */
function Closable({ until: end, children }: { until: number | null; children: ComponentChildren }) {
  const { verify } = useWords();
  const say = usePlain();
  const over = useOver(end, say(verify.openAgain));
  if (end === null || over) return <>{children}</>;
  return (
    <Banner tone="warn" focused>
      <Say of={verify.closedFor} left={<Countdown until={end} said={(left) => say(verify.closedFor, { left })} />} />
    </Banner>
  );
}

export function RecoverSent() {
  const { recover } = useWords();
  const { recovery } = useView();
  if (!recovery?.sent) return null;
  return (
    <AccountScreen title={recover.title}>{recovery.sent.type === "link" ? <Link sent={recovery.sent} /> : <Message sent={recovery.sent} type={recovery.sent.type} />}</AccountScreen>
  );
}

const minutesOf = ({ sent_at, expires_at }: RecoverySent) => Math.round((expires_at - sent_at) / 60);

function Link({ sent }: { sent: RecoverySent }) {
  const { speech } = useUi();
  const { recover } = useWords();
  return (
    <>
      <Banner tone="good">
        {sent.opens_at === null ? (
          <Say of={recover.sentLink} dest={sent.destination} n={minutesOf(sent)} />
        ) : (
          <Say of={recover.delayed} {...dateAndTime(speech, sent.opens_at)} />
        )}
      </Banner>
      <Again sent={sent} />
    </>
  );
}

function Message({ sent, type }: { sent: RecoverySent; type: "email" | "sms" }) {
  const id = useId();
  const { verify, recover } = useWords();
  const { recovery } = useView();
  const submit = useRecovery(type);
  const locked = recovery?.methods.find((method) => method.type === type)?.locked_until ?? null;
  return (
    <Closable until={locked}>
      <p id={id}>
        <Say of={recover.sentCode} dest={sent.destination} digits={sent.digits} n={minutesOf(sent)} />
        {type === "email" && (
          <>
            {" "}
            <Say of={verify.inbox} />
          </>
        )}
      </p>
      <CodeForm lengths={[sent.digits]} about={{ on: type }} describedBy={id} submit={submit} />
      <Again sent={sent} />
    </Closable>
  );
}

function Again({ sent }: { sent: RecoverySent }) {
  const { session } = useUi();
  const { recover } = useWords();
  const body: Recover = { method: sent.type };
  return (
    <Resend
      sent={sent}
      about={{ on: "act", destination: sent.destination }}
      label={recover.again}
      said={recover.sentAgain}
      send={(signal) => session.send({ method: "POST", path: "/recover", body }, signal)}
    />
  );
}
