// The proof is given. A recovery code tells how many are left before the page goes on.
import { Button, Slow } from "../../components/button.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { hasAdded } from "../order.ts";
import { useUi, useView, useWords } from "../ui.ts";
import { Finishing, Success } from "./finishing.tsx";

/** Below it, new codes are offered. */
const FEW = 3;

export function Done() {
  const view = useView();
  return view.purpose === "verify" && view.verified_by === "recovery_code" && !hasAdded(view) ? <CodeSpent /> : <Finishing />;
}

function CodeSpent() {
  const { session } = useUi();
  const words = useWords();
  const { recovery_codes_remaining: left } = useView();
  const press = usePress();
  const few = left < FEW;
  const go = () => void press.run(() => session.leave("finish"));
  const renew = () => void press.run((signal) => session.send({ method: "POST", path: "/recovery-codes" }, signal));
  return (
    <AccountScreen title={words.success.confirmed}>
      <Success />
      <p>
        <Say of={words.verify.recoveryLeft} n={left} />
      </p>
      <Trouble of={press.failure} about={{ on: "act" }} />
      {few && (
        <Button name="make-codes" first press={press} onPress={renew}>
          <Say of={words.codes.make} />
        </Button>
      )}
      <Button kind={few ? "secondary" : "primary"} name="continue" first press={press} onPress={go}>
        <Say of={words.button.continue} />
      </Button>
      <Slow press={press} />
    </AccountScreen>
  );
}
