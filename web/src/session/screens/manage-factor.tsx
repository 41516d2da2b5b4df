// One way: its name, what is known of it, and removing it.
import { useEffect, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { Choice, Dialog } from "../../components/dialog.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { when } from "../../words/dates.ts";
import { forgetPasskey } from "../passkey.ts";
import type { Factor } from "../protocol.ts";
import { usePlain, useUi, useView, useWords } from "../ui.ts";
import { Rename } from "./rename.tsx";

export function ManageFactor({ id }: { id: string }) {
  const { session, restart } = useUi();
  const { manage, way } = useWords();
  const factor = useView().factors.find((one) => one.id === id);
  useEffect(() => {
    // Removed in another window meanwhile.
    if (factor) return;
    if (!session.voice.toast) session.voice.show(manage.changed as string);
    restart();
  }, [factor === undefined]);
  if (!factor) return null;
  const named = factor.type !== "sms" && factor.type !== "email";
  return (
    <AccountScreen title={way[factor.type]} backTo={manage.title}>
      {factor.state === "disabled" && <TurnedOff factor={factor} />}
      {factor.state === "pending" ? (
        <Unfinished factor={factor} />
      ) : (
        <>
          {named && factor.state === "active" ? (
            <Rename factor={factor} key={factor.name} />
          ) : (
            <p class="whole">
              <bdi>{factor.name}</bdi>
            </p>
          )}
          <Facts factor={factor} />
          <Remove factor={factor} />
        </>
      )}
    </AccountScreen>
  );
}

function Facts({ factor }: { factor: Factor }) {
  const { session, speech } = useUi();
  const { manage } = useWords();
  const now = session.now();
  return (
    <ul class="facts">
      <li>
        <Say of={manage.added} when={when(speech, factor.created_at, now, true)} />
      </li>
      <li>
        {factor.last_used_at === null ? <Say of={manage.never} /> : <Say of={manage.used} when={when(speech, factor.last_used_at, now, true)} />}
      </li>
      {factor.passkey && (
        <li>
          <Say of={factor.passkey.backed_up ? manage.shared : manage.single} />
        </li>
      )}
    </ul>
  );
}

function TurnedOff({ factor }: { factor: Factor }) {
  const { go } = useUi();
  const { manage } = useWords();
  return (
    <Banner tone="bad">
      <Say of={manage.disabled} />{" "}
      <button type="button" class="link" name="again" onClick={() => go(factor.type === "totp" || factor.type === "push" ? "enrol/list" : `enrol/${factor.type}`)}>
        <Say of={manage.setUpAgain} />
      </button>
    </Banner>
  );
}

function Unfinished({ factor }: { factor: Factor }) {
  const { session, go, restart } = useUi();
  const { manage } = useWords();
  const { pending_enrolment } = useView();
  const press = usePress();
  const discard = () =>
    void press.run(async (signal) => {
      await session.send({ method: "DELETE", path: "/pending" }, signal);
      session.voice.show(manage.discarded as string);
      restart();
    });
  return (
    <>
      <Banner tone="info">
        <Say of={manage.pending} />
      </Banner>
      <Trouble of={press.failure} about={{ on: "act" }} />
      {pending_enrolment?.type === factor.type && (
        <Button name="finish" first onPress={() => go(`enrol/${factor.type}`)}>
          <Say of={manage.finish} />
        </Button>
      )}
      <Button kind="secondary" name="discard" press={press} onPress={discard}>
        <Say of={manage.discard} />
      </Button>
    </>
  );
}

function Remove({ factor }: { factor: Factor }) {
  const { session, speech, restart } = useUi();
  const { manage } = useWords();
  const say = usePlain();
  const view = useView();
  const [asking, setAsking] = useState(false);
  const press = usePress();
  const others = view.factors.filter(({ id, state }) => id !== factor.id && state === "active");
  if (others.length === 0) {
    return (
      <p class="hint">
        <Say of={manage.last} />
      </p>
    );
  }
  const ways = new Intl.ListFormat(speech.tag, { type: "conjunction" }).format(others.map(({ name }) => name));
  const remove = () =>
    void press.run(async (signal) => {
      await session.send({ method: "DELETE", path: `/factors/${encodeURIComponent(factor.id)}` }, signal);
      if (factor.passkey) void forgetPasskey(view.passkey_rp_id, factor.passkey.credential_id);
      session.voice.show(say(manage.removed));
      restart();
    });
  return (
    <>
      <Button kind="risky" name="remove" onPress={() => setAsking(true)}>
        <Say of={manage.remove[factor.type]} />
      </Button>
      {asking && (
        <Dialog title={<Say of={manage.removeTitle} name={factor.name} />} onClose={() => setAsking(false)}>
          <p>
            <Say of={manage.removeText} ways={<bdi>{ways}</bdi>} />
          </p>
          {factor.type === "passkey" && (
            <p>
              <Say of={manage.removePasskey} />
            </p>
          )}
          <Trouble of={press.failure} about={{ on: "act" }} />
          <Choice safe={<Say of={manage.keep} />} onSafe={() => setAsking(false)}>
            <Button kind="danger" name="act" press={press} onPress={remove}>
              <Say of={manage.remove[factor.type]} />
            </Button>
          </Choice>
          <Slow press={press} />
        </Dialog>
      )}
    </>
  );
}
