// The whole of the page: one screen, in its frame.
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { ComponentChild } from "preact";
import { Frame } from "./frame.tsx";
import { allows, behind, leadsBack, screenOf, start } from "./routes.tsx";
import type { Router } from "./router.ts";
import { Codes } from "./screens/codes.tsx";
import { End } from "./screens/end.tsx";
import { LeavingScreen } from "./screens/leaving.tsx";
import { LinkPage } from "./screens/link.tsx";
import type { Session } from "./store.ts";
import { UiContext, type Ui } from "./ui.ts";

interface Props {
  session: Session;
  /** Of this session; a link of an e-mail has none before it is followed. */
  router: Router;
  embedded: boolean;
  link?: { secret: string; onFollowed: (sessionId: string) => void };
  leave: (redirect: string) => void;
}

interface Shown {
  key: string;
  screen: ComponentChild;
  canGoBack?: boolean;
}

export function App({ session, router, embedded, link, leave }: Props) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const before = useRef<string | null>(null);
  useLayoutEffect(() => {
    session.onChange = () => redraw(undefined);
    router.onMove = () => redraw(undefined);
    redraw(undefined);
  }, [session, router]);

  const shown = show();
  const first = before.current === null || before.current === shown.key;
  useEffect(() => {
    if (shown.key === "loading") return;
    before.current ??= shown.key;
    if (before.current !== shown.key) before.current = "";
  });

  const go = (how: "push" | "replace") => (route: string) => {
    router[how](route);
    redraw(undefined);
  };
  const ui: Ui = {
    session,
    speech: session.speech,
    embedded,
    first,
    canGoBack: shown.canGoBack ?? false,
    go: go("push"),
    goInstead: go("replace"),
    back: () => (router.canGoBack ? router.back() : go("replace")(behind(shown.key) ?? beginning())),
    restart: () => go("replace")(beginning()),
  };
  return (
    <UiContext.Provider value={ui}>
      <Frame>
        <div key={shown.key}>{shown.screen}</div>
      </Frame>
    </UiContext.Provider>
  );

  function beginning() {
    const { webauthn } = session.browser;
    return start(session.view!, { webauthn, hostname: session.hostname }, session.now());
  }

  function show(): Shown {
    const { view, ending, leaving } = session;
    if (leaving !== null) {
      const confirmed = view?.purpose === "verify";
      return { key: "leaving", screen: <LeavingScreen confirmed={confirmed} redirect={leaving} leave={leave} /> };
    }
    if (ending) return { key: `end/${ending.kind}`, screen: <End ending={ending} /> };
    if (view) {
      if (router.route === null || !allows(view, router.route, session.wanted !== null)) router.replace(beginning());
      // Whatever else there is to do, codes that are shown only once come first.
      if (view.recovery_codes) return { key: "codes", screen: <Codes codes={view.recovery_codes} /> };
      const route = router.route!;
      return { key: route, screen: screenOf(route), canGoBack: behind(route) !== null || (router.canGoBack && leadsBack(route)) };
    }
    if (session.link && link) return { key: "link", screen: <LinkPage link={session.link} {...link} /> };
    return { key: "loading", screen: null };
  }
}
