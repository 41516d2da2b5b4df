// The page behind a link of an e-mail. Opening it, which scanners of mail do, changes nothing; one press does.
import { Button, Slow } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { Screen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { dateAndTime } from "../../words/dates.ts";
import type { Message } from "../../words/message.ts";
import type { LinkView } from "../protocol.ts";
import { useApp, usePlain, useUi, useWords } from "../ui.ts";
import { HelpRow } from "./help.tsx";

interface Props {
  link: LinkView;
  secret: string;
  /** The link was followed, into this session. */
  onFollowed: (sessionId: string) => void;
}

export function LinkPage({ link, secret, onFollowed }: Props) {
  const { session, speech } = useUi();
  const { recover, button } = useWords();
  const app = useApp();
  const say = usePlain();
  const press = usePress();
  if (link.state === "ready") {
    const stop = link.kind === "stop";
    const title = stop ? recover.stopTitle : recover.linkTitle;
    const act = (signal: AbortSignal) => (stop ? session.stopLink(secret, signal) : session.followLink(secret, signal).then(onFollowed));
    return (
      <Screen title={<Say of={title as Message<"app">} app={app} />} named={say(title as Message<"app">, { app })}>
        <p>
          <Say of={stop ? recover.stopLead : recover.linkLead} />
        </p>
        <Trouble of={press.failure} about={{ on: "act" }} />
        <Button name={stop ? "stop" : "continue"} first kind={stop ? "danger" : "primary"} press={press} onPress={() => void press.run(act)}>
          <Say of={stop ? recover.stop : button.continue} />
        </Button>
        <Slow press={press} />
      </Screen>
    );
  }
  const stopped = link.kind === "stop" && link.state === "stopped";
  const texts = { used: recover.linkUsed, expired: recover.linkExpired, early: recover.linkEarly, stopped: recover.linkStopped };
  const { title, lead } = (stopped ? recover.stopped : texts[link.state]) as { title: Message<"date" | "time">; lead: Message<"app"> };
  const icon: IconName = link.state === "early" ? "clock" : stopped ? "done" : "info";
  const opens = dateAndTime(speech, link.opens_at ?? 0);
  return (
    <Screen title={<Say of={title} {...opens} />} named={say(title, opens)} key={link.state}>
      <div class={stopped ? "drawing good outcome" : "drawing outcome"}>
        <Icon name={icon} large />
      </div>
      <p>
        <Say of={lead} app={app} />
      </p>
      {!stopped && link.state !== "early" && <HelpRow />}
    </Screen>
  );
}
