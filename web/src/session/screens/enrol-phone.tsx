// A phone that answers requests: it is added on the phone, this page waits for it.
import { useEffect } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { useOver } from "../../components/countdown.tsx";
import { usePress } from "../../components/press.ts";
import { QrCode } from "../../components/qr.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import type { BeginFactor, PendingPush } from "../protocol.ts";
import { isLink } from "../fragment.ts";
import { useUi, useView, useWords } from "../ui.ts";

export function EnrolPhone() {
  const { session } = useUi();
  const { enrol } = useWords();
  const { pending_enrolment } = useView();
  const pending = pending_enrolment?.type === "push" ? pending_enrolment : null;
  const press = usePress();
  const over = useOver(pending?.expires_at ?? null, enrol.qrExpiredPhone as string);

  // Once the phone has proved its key the next state says so, and the session goes on by itself.
  const waiting = pending !== null && !over;
  useEffect(() => {
    if (!waiting) return;
    const leaving = new AbortController();
    void session.watch(leaving.signal);
    return () => leaving.abort();
  }, [waiting]);
  if (!pending) return null;
  const body: BeginFactor = { type: "push", fresh: true };
  const renew = () => void press.run((signal) => session.send({ method: "POST", path: "/factors", body }, signal));
  return (
    <AccountScreen title={enrol.phoneTitle}>
      {over ? (
        <>
          <Banner tone="warn">
            <Say of={enrol.qrExpiredPhone} />
          </Banner>
          <QrCode image={pending.qr_image} label={enrol.qrPush} veiled />
          <Trouble of={press.failure} about={{ on: "enrol", type: "push" }} />
          <Button name="renew" first press={press} onPress={renew}>
            <Say of={enrol.qrFresh} />
          </Button>
          <Slow press={press} />
        </>
      ) : (
        <Waiting pending={pending} />
      )}
    </AccountScreen>
  );
}

function Waiting({ pending }: { pending: PendingPush }) {
  const { session } = useUi();
  const { enrol, verify } = useWords();
  // This may be the phone itself.
  const here = session.browser.handheld && isLink(pending.enrolment_url);
  return (
    <>
      <p>
        <Say of={here ? enrol.phoneHere : enrol.phone} />
      </p>
      {here && (
        <a class="button" href={pending.enrolment_url} target="_blank" rel="noopener noreferrer" data-focus="first">
          <span class="label">
            <Say of={verify.pushOpen} />
          </span>
        </a>
      )}
      <QrCode image={pending.qr_image} label={enrol.qrPush} />
      <p>
        <Say of={enrol.phoneCode} code={<code>{pending.code}</code>} />
      </p>
      <p class="hint waiting" role="status">
        <span class="spinner" aria-hidden="true" />
        <Say of={enrol.phoneWaiting} />
      </p>
    </>
  );
}
