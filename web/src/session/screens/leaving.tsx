// It went well: shown for a moment, then the browser goes back to the application.
import { useEffect, useState } from "preact/hooks";
import { Say } from "../../components/say.tsx";
import { Screen } from "../../components/screen.tsx";
import { useApp, usePlain, useWords } from "../ui.ts";
import { Success } from "./finishing.tsx";

/** Milliseconds that success is shown, and that the way there may take before a link is offered. */
const SHOWN = 800;
const PATIENCE = 2_000;

interface Props {
  confirmed: boolean;
  redirect: string;
  leave: (redirect: string) => void;
}

export function LeavingScreen({ confirmed, redirect, leave }: Props) {
  const { button, success } = useWords();
  const app = useApp();
  const say = usePlain();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const going = setTimeout(() => leave(redirect), SHOWN);
    const waiting = setTimeout(() => setLate(true), SHOWN + PATIENCE);
    return () => {
      clearTimeout(going);
      clearTimeout(waiting);
    };
  }, []);
  const title = confirmed ? success.confirmed : success.done;
  return (
    <Screen title={<Say of={title} />} named={say(title)}>
      <Success />
      <p role="status">
        <Say of={success.back} app={app} />
      </p>
      {late && (
        <a class="button" href={redirect}>
          <span class="label">
            <Say of={button.continue} />
          </span>
        </a>
      )}
    </Screen>
  );
}
