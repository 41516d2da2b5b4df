// A request on the phone: asked for by a press, answered there by picking the number that stands here.
import { useEffect, useRef } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { Countdown, useOver } from "../../components/countdown.tsx";
import { usePress } from "../../components/press.ts";
import { Remember } from "../../components/remember.tsx";
import { Say } from "../../components/say.tsx";
import { Trouble } from "../../components/told.tsx";
import type { PushMethod, PushRequest } from "../protocol.ts";
import { usePlain, useUi, useWords } from "../ui.ts";
import { useProof } from "./proof.ts";
import { useStart } from "./start.ts";

export function PhoneRequest({ method }: { method: PushMethod }) {
  const { session } = useUi();
  const { verify } = useWords();
  const prove = useProof();
  const press = usePress();
  const remember = useRef<HTMLInputElement>(null);
  const { live } = method;
  const over = useOver(live?.expires_at ?? null);
  const waiting = live?.status === "pending" && !over;

  const ask = () => void press.run((signal) => session.send({ method: "POST", path: "/push" }, signal));
  useStart("push", live === null, ask);

  useEffect(() => {
    if (!waiting) return;
    const leaving = new AbortController();
    void session.watch(leaving.signal);
    return () => leaving.abort();
  }, [waiting, live?.challenge_id]);

  useEffect(() => {
    if (live?.status !== "approved") return;
    const { challenge_id } = live;
    void press.run((signal) => prove({ method: "push", challenge_id, remember: remember.current?.checked ?? false }, signal));
  }, [live?.status]);

  const ended = live !== null && !waiting && live.status !== "approved";
  return (
    <>
      {waiting ? <Pick method={method} live={live} /> : !ended && <Asking device={method.device} />}
      {ended && (
        <Banner tone="info" focused>
          <Say of={live.status === "denied" ? verify.pushDenied : verify.pushOver} />
        </Banner>
      )}
      <Trouble of={press.failure} about={{ on: "push" }} />
      <Remember input={remember} />
      {!waiting && (
        <Button name="send" first press={press} onPress={ask}>
          <Say of={ended ? verify.pushAgain : verify.pushSend} />
        </Button>
      )}
      <Slow press={press} />
    </>
  );
}

function Asking({ device }: { device: string }) {
  const { verify } = useWords();
  return (
    <p>
      <Say of={verify.pushAsk} device={device} />
    </p>
  );
}

function Pick({ method, live }: { method: PushMethod; live: PushRequest }) {
  const { session } = useUi();
  const { verify } = useWords();
  const say = usePlain();
  const element = useRef<HTMLDivElement>(null);
  // The button that was pressed has gone; what there is to do now is read in its place.
  useEffect(() => element.current?.focus(), [live.challenge_id]);
  const number = <strong>{live.number}</strong>;
  return (
    <div ref={element} tabIndex={-1} class="pick">
      {session.browser.handheld ? (
        <>
          <p>
            <Say of={verify.pushSame} number={number} />
          </p>
          <a class="button" href={method.authenticator_url} target="_blank" rel="noopener noreferrer">
            <span class="label">
              <Say of={verify.pushOpen} />
            </span>
          </a>
        </>
      ) : (
        <p>
          <Say of={verify.pushPick} device={method.device} />
        </p>
      )}
      <p class="push-number">{live.number}</p>
      <p>
        <Say of={verify.pushEnds} left={<Countdown until={live.expires_at} said={(left) => say(verify.pushEnds, { left })} />} />
      </p>
      <p class="hint">
        <Say of={verify.pushNothing} />
      </p>
    </div>
  );
}
