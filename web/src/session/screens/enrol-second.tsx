// Offered once: a second way, so that losing the first one locks nobody out. Where there is none to offer, the end.
import { Button, Slow } from "../../components/button.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { wantsSecond } from "../offers.ts";
import { useUi, useView, useWords } from "../ui.ts";
import { Finishing } from "./finishing.tsx";

export function EnrolSecond() {
  const { session, go } = useUi();
  const { enrol } = useWords();
  const view = useView();
  const press = usePress();
  if (!wantsSecond(view, session.browser, session.hostname)) return <Finishing />;
  return (
    <AccountScreen title={enrol.secondTitle}>
      <p>
        <Say of={enrol.second} />
      </p>
      <Trouble of={press.failure} about={{ on: "act" }} />
      <Button name="another" first onPress={() => go("enrol/list")}>
        <Say of={enrol.another} />
      </Button>
      <Button kind="secondary" name="finish" press={press} onPress={() => void press.run(() => session.leave("finish"))}>
        <Say of={enrol.finish} />
      </Button>
      <Slow press={press} />
    </AccountScreen>
  );
}

