// A phone number or an address: on file only once its code came back.
import { useId, useRef, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { CodeForm } from "../../components/code-form.tsx";
import { Countdown } from "../../components/countdown.tsx";
import { Field } from "../../components/field.tsx";
import { usePress } from "../../components/press.ts";
import { Resend } from "../../components/resend.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { SentText } from "../../components/sent-text.tsx";
import { useFieldError } from "../../components/told.tsx";
import type { Channel, PendingContact, SetContact } from "../protocol.ts";
import { useUi, useView, useWords } from "../ui.ts";
import { useAdded } from "./added.ts";
import { useHandedCode } from "./handed.ts";

export function EnrolContact({ type }: { type: Channel }) {
  const { enrol } = useWords();
  const { pending_enrolment: pending } = useView();
  const [asked, setAsked] = useState(false);
  return (
    <AccountScreen title={enrol[`${type}Title`]}>
      {pending?.type === type ? <Confirm pending={pending} focus={asked} /> : <Ask type={type} onAsk={() => setAsked(true)} />}
    </AccountScreen>
  );
}

function Ask({ type, onAsk }: { type: Channel; onAsk: () => void }) {
  const { session } = useUi();
  const { enrol } = useWords();
  const input = useRef<HTMLInputElement>(null);
  const press = usePress();
  const send = (event: Event) => {
    event.preventDefault();
    const value = input.current!.value.trim();
    const body: SetContact = type === "sms" ? { phone: value.replace(/[\s().\p{Pd}]/gu, "") } : { email: value };
    void press.run(async (signal) => {
      onAsk();
      await session.send({ method: "POST", path: "/contact", body }, signal);
    });
  };
  const error = useFieldError(press.failure, { on: "contact", destination: input.current?.value ?? "" });
  return (
    <form noValidate onSubmit={send}>
      <Field
        label={<Say of={enrol[`${type}Label`]} />}
        name={type === "sms" ? "phone" : "email"}
        kind={type === "sms" ? "phone" : "email"}
        input={input}
        error={error}
        hint={type === "sms" && <Say of={enrol.smsHint} />}
      />
      <Button press={press} name="submit">
        <Say of={enrol.send} />
      </Button>
      <Slow press={press} />
    </form>
  );
}

function Confirm({ pending, focus }: { pending: PendingContact; focus: boolean }) {
  const id = useId();
  const { session } = useUi();
  const { enrol, verify } = useWords();
  const added = useAdded();
  const press = usePress();
  const { type, sent, destination } = pending;
  const closed = pending.locked_until !== null && pending.locked_until > session.now() ? pending.locked_until : null;
  const handed = useHandedCode(type, sent);
  return (
    <>
      <p id={id}>
        <SentText sent={sent} type={type} destination={destination} />
      </p>
      {closed ? (
        <Banner tone="warn" focused>
          <Say of={verify.closedFor} left={<Countdown until={closed} />} />
        </Banner>
      ) : (
        <CodeForm
          lengths={[sent.digits]}
          about={{ on: "contact" }}
          describedBy={id}
          focus={focus}
          submitLabel={<Say of={enrol.confirm} />}
          handed={handed}
          submit={async (code, _remember, signal) => {
            await session.send({ method: "POST", path: "/contact/confirm", body: { code } }, signal);
            added(type);
          }}
        />
      )}
      <Resend
        sent={sent}
        about={{ on: "contact", destination }}
        send={(signal) => session.send({ method: "POST", path: "/contact/send" }, signal)}
      />
      <Button
        kind="quiet"
        name="change"
        press={press}
        onPress={() => void press.run((signal) => session.send({ method: "DELETE", path: "/pending" }, signal))}
      >
        <Say of={enrol.change} />
      </Button>
    </>
  );
}
