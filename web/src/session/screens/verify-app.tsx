// The code of an authenticator app. Where this browser has a passkey, the field suggests it, too.
import { useEffect, useId, useState } from "preact/hooks";
import { CodeForm } from "../../components/code-form.tsx";
import { Say } from "../../components/say.tsx";
import { Trouble } from "../../components/told.tsx";
import { Failure } from "../client.ts";
import { ordered } from "../order.ts";
import { PasskeyProblem, usePasskey } from "../passkey.ts";
import type { PasskeyChallenge, TotpMethod } from "../protocol.ts";
import { useApp, useUi, useView, useWords } from "../ui.ts";
import { usePasskeyPlace } from "./passkey-place.ts";
import { useProof } from "./proof.ts";

export function AppCode({ method }: { method: TotpMethod }) {
  const id = useId();
  const words = useWords();
  const prove = useProof();
  const suggested = useSuggestedPasskey();
  return (
    <>
      <p id={id}>
        <Say of={words.verify.app} app={useApp()} />
      </p>
      <Trouble of={suggested.failure} about={{ on: "passkey" }} />
      <CodeForm
        lengths={method.digits}
        about={{ on: "totp" }}
        describedBy={id}
        remembers
        passkeys={suggested.offered}
        submit={(code, remember, signal) => prove({ method: "totp", code, remember }, signal)}
      />
    </>
  );
}

/** No dialog opens: the browser shows the passkey among the field's suggestions, if it has one for this account. */
function useSuggestedPasskey() {
  const { session } = useUi();
  const prove = useProof();
  const [failure, setFailure] = useState<Failure | null>(null);
  const offered = session.browser.conditional && ordered(useView(), usePasskeyPlace()).some(({ type }) => type === "passkey");
  useEffect(() => {
    if (!offered) return;
    const leaving = new AbortController();
    const suggest = async () => {
      const { challenge_id, publicKey } = await session.send<PasskeyChallenge>({ method: "POST", path: "/passkeys/challenge" });
      if (leaving.signal.aborted) return;
      const credential = await usePasskey(publicKey, leaving.signal, true);
      await prove({ method: "passkey", challenge_id, credential });
    };
    suggest().catch((error: unknown) => {
      if (error instanceof PasskeyProblem) return;
      // Without a challenge there is nothing to suggest, and the field is there.
      if (error instanceof Failure && error.code === "invalid_credential") setFailure(error);
    });
    return () => leaving.abort();
  }, [offered]);
  return { offered, failure };
}
