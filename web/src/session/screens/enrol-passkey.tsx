// A passkey: made by a press, named afterwards.
import { useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { describe } from "../browser.ts";
import { createPasskey, PasskeyProblem } from "../passkey.ts";
import type { AddPasskey, PasskeyOptions } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";
import { useAdded } from "./added.ts";

export function EnrolPasskey() {
  const { session } = useUi();
  const { enrol, verify } = useWords();
  const press = usePress();
  const added = useAdded();
  const [waiting, setWaiting] = useState(false);
  const [trouble, setTrouble] = useState<"unfinished" | "exists" | null>(null);

  const create = async (signal: AbortSignal) => {
    setTrouble(null);
    const { challenge_id, publicKey } = await session.send<PasskeyOptions>({ method: "POST", path: "/passkeys/options" }, signal);
    setWaiting(true);
    try {
      const credential = await createPasskey(publicKey, signal);
      setWaiting(false);
      const body: AddPasskey = { challenge_id, credential, name: describe(navigator.userAgent) };
      await session.send({ method: "POST", path: "/passkeys", body }, signal);
      added("passkey");
    } catch (error) {
      if (!(error instanceof PasskeyProblem)) throw error;
      if (error.trouble !== "aborted") setTrouble(error.trouble);
    } finally {
      if (!signal.aborted) setWaiting(false);
    }
  };

  return (
    <AccountScreen title={enrol.passkeyTitle}>
      <p>
        <Say of={enrol.passkey} />
      </p>
      <div class="drawing">
        <Icon name="passkey" large />
      </div>
      {waiting && (
        <Banner tone="info">
          <Say of={verify.passkeyWaiting} />
        </Banner>
      )}
      {trouble && (
        <Banner tone="info" focused>
          <Say of={trouble === "exists" ? enrol.passkeyExists : enrol.passkeyUnfinished} />
        </Banner>
      )}
      <Trouble of={press.failure} about={{ on: "enrol", type: "passkey" }} />
      <Button name="create-passkey" first press={press} onPress={() => void press.run(create)}>
        <Say of={enrol.passkeyCreate} />
      </Button>
      <Slow press={press} />
    </AccountScreen>
  );
}
