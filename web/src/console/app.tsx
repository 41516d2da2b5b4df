// The whole of the console: signed out, or a page in its frame. The token, and all that was asked with it, ends here.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "../components/dialog.tsx";
import { Api } from "./api.ts";
import { Frame } from "./frame.tsx";
import { watchIdle } from "./idle.ts";
import { Button, Say } from "./parts.tsx";
import { pageOf } from "./pages/pages.tsx";
import { href, read } from "./route.ts";
import { useShortcuts } from "./shortcuts.ts";
import { SignIn, type Reason } from "./sign-in.tsx";
import { wear, type Theme } from "./theme.ts";
import { ConsoleContext, useWords, type Console } from "./ui.ts";
import { languageOf, languages, tagOf, type Language } from "./words/words.ts";

/** Milliseconds that a thing that was done stays in sight. */
const TOAST = 6_000;

export function App() {
  const api = useMemo(() => new Api(), []);
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState<Reason>(null);
  const [language, setLanguage] = useState<Language>(() => languageOf(navigator.languages));
  const [theme, setTheme] = useState<Theme>("system");
  const [hash, setHash] = useState(location.hash);
  const [idle, setIdle] = useState(false);
  const [toast, setToast] = useState("");
  const [said, setSaid] = useState("");
  const [keys, setKeys] = useState(true);
  const hiding = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const leave = (why: Reason) => {
    api.leave();
    clearTimeout(hiding.current);
    setToast("");
    setSaid("");
    setIdle(false);
    setReason(why);
    setOpen(false);
  };

  useLayoutEffect(() => {
    api.onRefused = () => leave("refused");
    const moved = () => setHash(location.hash);
    // A page that the browser keeps for Back is a page that was left.
    const hidden = () => leave(null);
    addEventListener("hashchange", moved);
    addEventListener("pagehide", hidden);
    return () => (removeEventListener("hashchange", moved), removeEventListener("pagehide", hidden));
  }, []);
  useLayoutEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useLayoutEffect(() => wear(theme), [theme]);
  useEffect(() => (open ? watchIdle((stage) => (stage === "ended" ? leave("idle") : setIdle(stage === "warned"))) : undefined), [open]);

  const go = (address: string) => {
    location.hash = address;
  };
  const route = useMemo(() => read(hash), [hash]);
  const ui: Console = {
    api,
    route,
    words: languages[language],
    tag: tagOf(language, navigator.languages),
    announce: setSaid,
    toast: (text) => {
      setToast(text);
      setSaid(text);
      clearTimeout(hiding.current);
      hiding.current = setTimeout(() => (setToast(""), setSaid("")), TOAST);
    },
    go,
    replace: (address) => {
      history.replaceState(null, "", address);
      setHash(address);
    },
  };
  useShortcuts(open && keys, go);

  return (
    <ConsoleContext.Provider value={ui}>
      {open ? (
        <Frame {...{ theme, setTheme, language, setLanguage, keys, setKeys }} leave={() => leave("left")}>
          <div key={route.path.join("/")} class="page">
            {pageOf(route)}
          </div>
        </Frame>
      ) : (
        <SignIn
          {...{ reason, language, setLanguage }}
          onOpen={() => {
            setReason(null);
            if (!location.hash) ui.replace(href(["overview"]));
            setOpen(true);
          }}
        />
      )}
      {idle && <Idle onStay={() => setIdle(false)} />}
      <p class="hidden" role="status">
        {said}
      </p>
      {toast && (
        <div class="toasts" aria-hidden="true">
          <p class="toast">{toast}</p>
        </div>
      )}
    </ConsoleContext.Provider>
  );
}

/** Any press stays, this button among them. */
function Idle({ onStay }: { onStay: () => void }) {
  const { idle } = useWords();
  return (
    <Dialog title={<Say of={idle.title} />} onClose={onStay}>
      <p>
        <Say of={idle.text} />
      </p>
      <Button kind="primary" name="stay" onPress={onStay} safe>
        <Say of={idle.stay} />
      </Button>
    </Dialog>
  );
}
