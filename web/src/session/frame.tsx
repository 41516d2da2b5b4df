// What stands around every screen: whose application it is, the way out, help, the other language.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Banner } from "../components/banner.tsx";
import { Button } from "../components/button.tsx";
import { Countdown, useNow } from "../components/countdown.tsx";
import { Choice, Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icon.tsx";
import { usePress } from "../components/press.ts";
import { Say, Typed } from "../components/say.tsx";
import { Trouble } from "../components/told.tsx";
import { useBrandColour } from "../look/brand.ts";
import { languages } from "../words/words.ts";
import { isLink } from "./fragment.ts";
import { hasAdded } from "./order.ts";
import type { SessionView } from "./protocol.ts";
import { usePlain, useUi, useWords } from "./ui.ts";

/** Seconds before the end that the page says so. */
const EXPIRING = 60;

export function Frame({ children }: { children: ComponentChildren }) {
  const { session, embedded, speech } = useUi();
  const words = useWords();
  const element = useRef<HTMLDivElement>(null);
  useBrandColour(element, session.surroundings?.brand.colour ?? null);
  useEffect(() => {
    if (!embedded) document.documentElement.lang = speech.language;
  }, [speech.language]);
  const view = session.ending || session.leaving ? null : session.view;
  const wide = view?.stage === "manage";
  // The page around the element has its own.
  const Main = embedded ? "div" : "main";
  return (
    <div
      class={`candado ${embedded ? "embedded" : "page"} ${wide ? "wide" : ""}`}
      lang={speech.language}
      ref={element}
      onPointerDown={() => session.pressed()}
      onKeyDown={() => session.pressed()}
    >
      {!embedded && (
        <a class="skip" href="#content" onClick={skip}>
          <Say of={words.skip} />
        </a>
      )}
      <div class="card">
        {!embedded && <Header view={view} />}
        <Main class="main" id={embedded ? undefined : "content"} tabIndex={-1}>
          {view && <Expiring view={view} />}
          {!session.online && (
            <Banner tone="warn" icon="offline">
              <Say of={words.offline} />
            </Banner>
          )}
          {children}
          {!session.surroundings && !session.ending && <Loading />}
          {embedded && view && <Out view={view} />}
        </Main>
      </div>
      {!embedded && <Foot />}
      <Voices />
    </div>
  );
}

/** The fragment names the session, so the link must not write its own there. */
function skip(event: Event) {
  event.preventDefault();
  document.querySelector<HTMLElement>("main")!.focus();
}

function Header({ view }: { view: SessionView | null }) {
  const { session } = useUi();
  const brand = session.surroundings?.brand;
  return (
    <header>
      <p class="brand">
        {brand?.logo_url?.startsWith("data:image/") && <img src={brand.logo_url} alt="" />}
        {brand && <Typed text={brand.name} />}
      </p>
      {view && <Out view={view} />}
    </header>
  );
}

/**
 * The way out: `access_denied` at once, or "Done" where something was achieved. Only fresh recovery codes ask first.
 */
function Out({ view }: { view: SessionView }) {
  const { session } = useUi();
  const words = useWords();
  const press = usePress();
  const [asking, setAsking] = useState(false);
  const achieved = view.stage === "manage" || (view.purpose === "enrol" && hasAdded(view));
  const leave = () => void press.run(() => session.leave(achieved ? "finish" : "cancel"));
  if (view.stage === "done" && !view.recovery_codes) return null;
  return (
    <div class="out">
      <Button kind="quiet" name={achieved ? "done" : "cancel"} press={press} onPress={() => (view.recovery_codes ? setAsking(true) : leave())}>
        <Say of={achieved && !view.recovery_codes ? words.button.done : words.button.cancel} />
      </Button>
      <Trouble of={press.failure} about={{ on: "act" }} />
      {asking && (
        <Dialog title={<Say of={words.codes.leaveTitle} />} onClose={() => setAsking(false)}>
          <p>
            <Say of={words.codes.leave} />
          </p>
          <Choice safe={<Say of={words.codes.stay} />} onSafe={() => setAsking(false)}>
            <Button kind="danger" name="act" press={press} onPress={leave}>
              <Say of={words.codes.leaveNow} />
            </Button>
          </Choice>
        </Dialog>
      )}
    </div>
  );
}

function Expiring({ view }: { view: SessionView }) {
  const { session } = useUi();
  const words = useWords();
  const say = usePlain();
  // Looks again when the last minute begins, and by the second from then on.
  const now = useNow(view.expires_at);
  const left = view.expires_at - now;
  const soon = left <= EXPIRING && left > 0;
  useEffect(() => {
    if (soon) session.voice.say(say(words.expiring, { left: `${Math.ceil(left)}` }));
  }, [soon]);
  if (!soon) return null;
  return (
    <Banner tone="warn" icon="clock">
      <Say of={words.expiring} left={<Countdown until={view.expires_at} />} />{" "}
      {view.expires_at < view.expires_at_most && (
        <button type="button" class="link" name="keep-open" onClick={() => session.keepOpen()}>
          <Say of={words.keepOpen} />
        </button>
      )}
    </Banner>
  );
}

/** Milliseconds before a page that is being fetched shows that it is. */
const SKELETON = 200;

function Loading() {
  const words = useWords();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div aria-busy="true" class="loading-page">
      <h1 class="hidden">
        <Say of={words.loading} />
      </h1>
      {late && (
        <div aria-hidden="true">
          <span class="bone title" />
          <span class="bone" />
          <span class="bone" />
        </div>
      )}
    </div>
  );
}

function Foot() {
  const { session, speech } = useUi();
  const words = useWords();
  const support = session.surroundings?.support_url;
  return (
    <footer>
      {support && isLink(support) && (
        <a href={support} target="_blank" rel="noopener noreferrer">
          <Say of={words.button.help} />
        </a>
      )}
      {Object.entries(languages)
        .filter(([language]) => language !== speech.language)
        .map(([language, { language: name }]) => (
          <button key={language} type="button" class="link" lang={language} name={`speak-${language}`} onClick={() => session.speak(language)}>
            {name as string}
          </button>
        ))}
      <span>
        <Icon name="shield" />
        <Say of={words.protected} />
      </span>
    </footer>
  );
}

function Voices() {
  const { voice } = useUi().session;
  return (
    <>
      <p class="hidden" role="status" data-voice="polite">
        {voice.polite}
      </p>
      <p class="hidden" role="alert" data-voice="urgent">
        {voice.urgent}
      </p>
      <div class="toasts" role="status">
        {voice.toast && (
          <p class="toast" onPointerEnter={() => voice.hold()} onPointerLeave={() => voice.resume()}>
            <Icon name="done" />
            <span>{voice.toast}</span>
          </p>
        )}
      </div>
    </>
  );
}
