// An authenticator app: the key as a link, a picture or letters, then a code of it.
import { useId, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { CodeForm } from "../../components/code-form.tsx";
import { Copy } from "../../components/copy.tsx";
import { useOver } from "../../components/countdown.tsx";
import { usePress } from "../../components/press.ts";
import { QrCode } from "../../components/qr.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Steps } from "../../components/steps.tsx";
import { Trouble } from "../../components/told.tsx";
import type { BeginFactor, PendingTotp } from "../protocol.ts";
import { usePlain, useUi, useView, useWords } from "../ui.ts";
import { useAdded } from "./added.ts";

export function EnrolApp() {
  const { session } = useUi();
  const { enrol } = useWords();
  const { pending_enrolment: pending } = useView();
  const press = usePress();
  const over = useOver(pending?.type === "totp" ? pending.expires_at : null, enrol.qrExpired as string);
  if (pending?.type !== "totp") return null;
  const body: BeginFactor = { type: "totp", fresh: true };
  const renew = () => void press.run((signal) => session.send({ method: "POST", path: "/factors", body }, signal));
  return (
    <AccountScreen title={enrol.appTitle}>
      <Steps now={over ? "scan" : "confirm"} />
      {over ? (
        <>
          <Banner tone="warn">
            <Say of={enrol.qrExpired} />
          </Banner>
          <QrCode image={pending.qr_image} label={enrol.qrTotp} veiled />
          <Trouble of={press.failure} about={{ on: "enrol", type: "totp" }} />
          <Button name="renew" first press={press} onPress={renew}>
            <Say of={enrol.qrFresh} />
          </Button>
          <Slow press={press} />
        </>
      ) : (
        <Confirm pending={pending} />
      )}
    </AccountScreen>
  );
}

function Confirm({ pending }: { pending: PendingTotp }) {
  const id = useId();
  const { session } = useUi();
  const { enrol } = useWords();
  const added = useAdded();
  const { handheld } = session.browser;
  return (
    <>
      <p id={id}>
        <Say of={handheld ? enrol.appPhone : enrol.app} />
      </p>
      {handheld ? <OnThisDevice pending={pending} /> : <OnAnother pending={pending} />}
      <CodeForm
        key={pending.secret}
        lengths={[pending.digits]}
        label={<Say of={enrol.appCode} />}
        about={{ on: "confirm" }}
        describedBy={id}
        submitLabel={<Say of={enrol.confirm} />}
        submit={async (code, _remember, signal) => {
          await session.send({ method: "POST", path: "/factors/totp/confirm", body: { code } }, signal);
          added("totp");
        }}
      />
    </>
  );
}

/** The app is most likely on this phone: opening it comes first, the picture for another one is folded. */
function OnThisDevice({ pending }: { pending: PendingTotp }) {
  const { enrol } = useWords();
  const say = usePlain();
  const [shown, setShown] = useState(false);
  return (
    <>
      <OpenApp pending={pending} />
      <Key secret={pending.secret} />
      <details class="fold" onToggle={(event) => setShown((event.target as HTMLDetailsElement).open)}>
        <summary>{say(enrol.qrShow)}</summary>
        {shown && <QrCode image={pending.qr_image} label={enrol.qrTotp} />}
      </details>
    </>
  );
}

function OnAnother({ pending }: { pending: PendingTotp }) {
  const { enrol } = useWords();
  return (
    <>
      <QrCode image={pending.qr_image} label={enrol.qrTotp} />
      <details class="fold">
        <summary>
          <Say of={enrol.cannotScan} />
        </summary>
        <OpenApp pending={pending} />
        <Key secret={pending.secret} />
      </details>
    </>
  );
}

function OpenApp({ pending }: { pending: PendingTotp }) {
  const { enrol } = useWords();
  // Nothing but an app's own scheme is followed.
  if (!pending.otpauth_url.startsWith("otpauth://totp/")) return null;
  return (
    <a class="button secondary" href={pending.otpauth_url}>
      <span class="label">
        <Say of={enrol.openApp} />
      </span>
    </a>
  );
}

function Key({ secret }: { secret: string }) {
  const { enrol } = useWords();
  const groups = secret.match(/.{1,4}/g) ?? [];
  return (
    <div class="key">
      <span class="key-label">
        <Say of={enrol.key} />
      </span>
      <span class="key-text">
        <code>{groups.join(" ")}</code>
        <Copy text={secret} />
      </span>
    </div>
  );
}
