// Nothing is left to do: the page asks where to go, and shows meanwhile that it went well.
import { useEffect } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { useApp, useUi, useView, useWords } from "../ui.ts";

export function Finishing() {
  const { session } = useUi();
  const words = useWords();
  const app = useApp();
  const { purpose } = useView();
  const press = usePress();
  const finish = () => void press.run(() => session.leave("finish"));
  useEffect(finish, []);
  return (
    <AccountScreen title={purpose === "verify" ? words.success.confirmed : words.success.done}>
      <Success />
      <p role="status">
        <Say of={words.success.back} app={app} />
      </p>
      <Trouble of={press.failure} about={{ on: "act" }} />
      {press.failure && (
        <Button name="continue" press={press} onPress={finish}>
          <Say of={words.button.continue} />
        </Button>
      )}
      <Slow press={press} />
    </AccountScreen>
  );
}

export const Success = () => (
  <div class="drawing good outcome">
    <Icon name="done" large />
  </div>
);
