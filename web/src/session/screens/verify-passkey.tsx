// A passkey, by a press. The browser tells a cancelled one not from a missing one, so neither do we.
import { useRef } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { usePress } from "../../components/press.ts";
import { Remember } from "../../components/remember.tsx";
import { Say } from "../../components/say.tsx";
import { Trouble } from "../../components/told.tsx";
import { Failure } from "../client.ts";
import { forgetPasskey, usePasskey } from "../passkey.ts";
import type { PasskeyChallenge } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";
import { Ceremony, useCeremony } from "./passkey-ceremony.tsx";
import { useProof } from "./proof.ts";

export function PasskeyWay() {
  const { session } = useUi();
  const { verify } = useWords();
  const prove = useProof();
  const press = usePress();
  const remember = useRef<HTMLInputElement>(null);
  const { waiting, trouble, run } = useCeremony();

  const ask = (signal: AbortSignal) =>
    run(
      signal,
      () => session.send<PasskeyChallenge>({ method: "POST", path: "/passkeys/challenge" }, signal),
      ({ publicKey }) => usePasskey(publicKey, signal),
      async ({ challenge_id }, credential) => {
        try {
          await prove({ method: "passkey", challenge_id, credential, remember: remember.current?.checked ?? false }, signal);
        } catch (error) {
          const unknown = error instanceof Failure && error.code === "invalid_credential" && error.body.field === "credential.id";
          if (unknown) await forgetPasskey(session.view!.passkey_rp_id, credential.id);
          throw error;
        }
      },
    );

  return (
    <>
      <p>
        <Say of={verify.passkey} />
      </p>
      <Ceremony waiting={waiting} trouble={trouble} told={() => verify.passkeyUnfinished} />
      <Trouble of={press.failure} about={{ on: "passkey" }} />
      <Remember input={remember} />
      <Button name="use-passkey" first press={press} onPress={() => void press.run(ask)}>
        <Say of={verify.passkeyUse} />
      </Button>
      <Slow press={press} />
    </>
  );
}
