// The session is over, belongs to somebody else, or never was one. Each says what to do next.
import { Say } from "../../components/say.tsx";
import { Screen } from "../../components/screen.tsx";
import { Icon } from "../../components/icon.tsx";
import { Button } from "../../components/button.tsx";
import { isReturn } from "../fragment.ts";
import type { Ending } from "../store.ts";
import { useApp, usePlain, useUi, useWords } from "../ui.ts";
import { HelpRow } from "./help.tsx";

export function End({ ending }: { ending: Ending }) {
  const { session, embedded } = useUi();
  const words = useWords();
  const app = useApp();
  const say = usePlain();
  const { title, lead } = words[ending.kind];
  const { redirect, surroundings } = ending;
  const back = redirect && surroundings && isReturn(redirect, surroundings.return_host) ? redirect : null;
  return (
    <Screen title={<Say of={title} />} named={say(title)}>
      <div class="drawing outcome">
        <Icon name={ending.kind === "expired" ? "clock" : ending.kind === "noWay" ? "offline" : "info"} large />
      </div>
      <p>
        <Say of={lead as typeof words.cookie.lead} host={session.hostname} />
      </p>
      {ending.kind === "noWay" && (
        <Button name="again" first onPress={() => location.reload()}>
          <Say of={words.button.again} />
        </Button>
      )}
      {back && !embedded && (
        <a class="button" href={back} data-focus="first">
          <span class="label">
            <Say of={words.button.backTo} app={app} />
          </span>
        </a>
      )}
      {ending.kind !== "noWay" && !back && <HelpRow />}
    </Screen>
  );
}
