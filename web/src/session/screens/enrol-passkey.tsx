// A passkey: made by a press, named afterwards.
import { Button, Slow } from "../../components/button.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { describe } from "../browser.ts";
import { createPasskey } from "../passkey.ts";
import type { AddPasskey, PasskeyOptions } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";
import { useAdded } from "./added.ts";
import { Ceremony, useCeremony } from "./passkey-ceremony.tsx";

export function EnrolPasskey() {
  const { session } = useUi();
  const { enrol } = useWords();
  const press = usePress();
  const added = useAdded();
  const { waiting, trouble, run } = useCeremony();

  const create = (signal: AbortSignal) =>
    run(
      signal,
      () => session.send<PasskeyOptions>({ method: "POST", path: "/passkeys/options" }, signal),
      ({ publicKey }) => createPasskey(publicKey, signal),
      async ({ challenge_id }, credential) => {
        const body: AddPasskey = { challenge_id, credential, name: describe(navigator.userAgent) };
        await session.send({ method: "POST", path: "/passkeys", body }, signal);
        added("passkey");
      },
    );

  return (
    <AccountScreen title={enrol.passkeyTitle}>
      <p>
        <Say of={enrol.passkey} />
      </p>
      <Ceremony waiting={waiting} trouble={trouble} told={(trouble) => (trouble === "exists" ? enrol.passkeyExists : enrol.passkeyUnfinished)} />
      <Trouble of={press.failure} about={{ on: "enrol", type: "passkey" }} />
      <Button name="create-passkey" first press={press} onPress={() => void press.run(create)}>
        <Say of={enrol.passkeyCreate} />
      </Button>
      <Slow press={press} />
    </AccountScreen>
  );
}
