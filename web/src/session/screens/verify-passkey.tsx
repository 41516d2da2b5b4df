// A passkey, by a press. The browser tells a cancelled one not from a missing one, so neither do we.
import { useRef, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Remember } from "../../components/remember.tsx";
import { Say } from "../../components/say.tsx";
import { Trouble } from "../../components/told.tsx";
import { Failure } from "../client.ts";
import { forgetPasskey, PasskeyProblem, usePasskey } from "../passkey.ts";
import type { PasskeyChallenge } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";
import { useProof } from "./proof.ts";

export function PasskeyWay() {
  const { session } = useUi();
  const { verify } = useWords();
  const prove = useProof();
  const press = usePress();
  const remember = useRef<HTMLInputElement>(null);
  const [waiting, setWaiting] = useState(false);
  const [unfinished, setUnfinished] = useState(false);

  const ask = async (signal: AbortSignal) => {
    setUnfinished(false);
    const { challenge_id, publicKey } = await session.send<PasskeyChallenge>({ method: "POST", path: "/passkeys/challenge" }, signal);
    setWaiting(true);
    try {
      const credential = await usePasskey(publicKey, signal);
      setWaiting(false);
      try {
        await prove({ method: "passkey", challenge_id, credential, remember: remember.current?.checked ?? false }, signal);
      } catch (error) {
        const unknown = error instanceof Failure && error.code === "invalid_credential" && error.body.field === "credential.id";
        if (unknown) await forgetPasskey(session.view!.passkey_rp_id, credential.id);
        throw error;
      }
    } catch (error) {
      if (!(error instanceof PasskeyProblem)) throw error;
      if (error.trouble !== "aborted") setUnfinished(true);
    } finally {
      if (!signal.aborted) setWaiting(false);
    }
  };

  return (
    <>
      <p>
        <Say of={verify.passkey} />
      </p>
      <div class="drawing">
        <Icon name="passkey" large />
      </div>
      {waiting && (
        <Banner tone="info">
          <Say of={verify.passkeyWaiting} />
        </Banner>
      )}
      {unfinished && (
        <Banner tone="info" focused>
          <Say of={verify.passkeyUnfinished} />
        </Banner>
      )}
      <Trouble of={press.failure} about={{ on: "passkey" }} />
      <Remember input={remember} />
      <Button name="use-passkey" first press={press} onPress={() => void press.run(ask)}>
        <Say of={verify.passkeyUse} />
      </Button>
      <Slow press={press} />
    </>
  );
}
