// A code by text or e-mail: asked for by a press, then typed, or handed over by the browser.
import { useId, useState } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { CodeForm } from "../../components/code-form.tsx";
import { usePress } from "../../components/press.ts";
import { Resend } from "../../components/resend.tsx";
import { Say } from "../../components/say.tsx";
import { SentText } from "../../components/sent-text.tsx";
import { Trouble } from "../../components/told.tsx";
import { useOver } from "../../components/countdown.tsx";
import type { Sent, SentMethod } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";
import { useHandedCode } from "./handed.ts";
import { useProof } from "./proof.ts";
import { useStart } from "./start.ts";
import { UseInstead, useInstead } from "./use-instead.tsx";

export function SentCode({ method }: { method: SentMethod }) {
  const { session } = useUi();
  const press = usePress();
  const [asked, setAsked] = useState(false);
  const over = useOver(method.sent?.expires_at ?? null);
  const send = (signal: AbortSignal) => session.send({ method: "POST", path: "/send", body: { method: method.type } }, signal);
  const ask = () => {
    setAsked(true);
    void press.run(send);
  };
  useStart(method.type, method.sent === null, ask);

  if (method.sent && !over) return <Typing method={method} sent={method.sent} send={send} focus={asked} />;
  return <Asking method={method} press={press} ask={ask} over={over} />;
}

/** Whoever asks again is refused again. */
const FUTILE = ["delivery_failed", "destination_not_allowed", "destination_missing"];

interface AskingProps {
  method: SentMethod;
  press: ReturnType<typeof usePress>;
  ask: () => void;
  over: boolean;
}

function Asking({ method, press, ask, over }: AskingProps) {
  const { verify } = useWords();
  const text = method.type === "sms" ? verify.smsAsk : verify.emailAsk;
  const instead = useInstead(method) !== null && FUTILE.includes(press.failure?.code ?? "");
  return (
    <>
      <p>
        <Say of={over ? verify.sentOver : text} dest={method.destination} />
      </p>
      <Trouble of={press.failure} about={{ on: method.type, destination: method.destination }} />
      {instead && <UseInstead of={method} />}
      <Button name="send" kind={instead ? "secondary" : "primary"} first={!instead} press={press} onPress={ask}>
        <Say of={over ? verify.resend : method.type === "sms" ? verify.smsSend : verify.emailSend} />
      </Button>
      <Slow press={press} />
    </>
  );
}

interface TypingProps {
  method: SentMethod;
  sent: Sent;
  send: (signal: AbortSignal) => Promise<unknown>;
  focus: boolean;
}

function Typing({ method, sent, send, focus }: TypingProps) {
  const id = useId();
  const prove = useProof();
  const handed = useHandedCode(method.type, sent);
  return (
    <>
      <p id={id}>
        <SentText sent={sent} type={method.type} destination={method.destination} />
      </p>
      <CodeForm
        lengths={[sent.digits]}
        about={{ on: method.type, destination: method.destination }}
        describedBy={id}
        focus={focus}
        remembers={method.type === "sms"}
        handed={handed}
        submit={(code, remember, signal) => prove({ method: method.type, code, ...(method.type === "sms" && { remember }) }, signal)}
      />
      <Resend sent={sent} closedUntil={method.closed_until} about={{ on: method.type, destination: method.destination }} send={send} />
    </>
  );
}
