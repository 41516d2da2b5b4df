// The bar with the places, and the page beside it. Under 900 pixels the bar is a menu.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icon.tsx";
import { Button, Say, Tick } from "./parts.tsx";
import { href } from "./route.ts";
import { places } from "./shortcuts.ts";
import { themes, type Theme } from "./theme.ts";
import { useConsole, useSay, useWords } from "./ui.ts";
import { languages, type Language } from "./words/words.ts";

interface Props {
  theme: Theme;
  setTheme: (theme: Theme) => void;
  language: Language;
  setLanguage: (language: Language) => void;
  keys: boolean;
  setKeys: (on: boolean) => void;
  leave: () => void;
  children: ComponentChildren;
}

export function Frame({ theme, setTheme, language, setLanguage, keys, setKeys, leave, children }: Props) {
  const { words, route } = useConsole();
  const say = useSay();
  const [menu, setMenu] = useState(false);
  const [help, setHelp] = useState(false);
  const [place] = route.path;
  useEffect(() => setMenu(false), [route]);
  return (
    <div class="frame">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The address is the page's.
          event.preventDefault();
          document.getElementById("main")!.focus();
        }}
      >
        <Say of={words.skip} />
      </a>
      <header class={menu ? "bar open" : "bar"}>
        <p class="brand">Candado</p>
        <button type="button" class="button quiet menu" name="menu" aria-expanded={menu} aria-controls="places" onClick={() => setMenu(!menu)}>
          <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 7h16 M4 12h16 M4 17h16" />
          </svg>
          <Say of={words.menu} />
        </button>
        <div class="bar-rest" id="places">
          <nav aria-label={say(words.menu)}>
            <ul>
              {Object.values(places).map((name) => (
                <li key={name}>
                  <a href={href([name])} aria-current={name === place ? "page" : undefined}>
                    <Say of={words.place[name]} />
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="bar-foot">
            <Button kind="quiet" name="help" icon="info" onPress={() => setHelp(true)}>
              <Say of={words.keys.help} />
            </Button>
            <div class="choices" role="group" aria-label={say(words.theme.title)}>
              {themes.map((one) => (
                <Button kind="quiet" key={one} name={`theme-${one}`} pressed={one === theme} onPress={() => setTheme(one)}>
                  <Say of={words.theme[one]} />
                </Button>
              ))}
            </div>
            <div class="choices">
              {(Object.keys(languages) as Language[]).map((one) => (
                <button type="button" class="button quiet" key={one} lang={one} name={`language-${one}`} aria-pressed={one === language} onClick={() => setLanguage(one)}>
                  {languages[one].language as string}
                </button>
              ))}
            </div>
            <p class="host">
              <Say of={words.at} host={location.host} />
            </p>
            <Button name="sign-out" onPress={leave}>
              <Say of={words.signOut} />
            </Button>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {help && <Help {...{ keys, setKeys }} onClose={() => setHelp(false)} />}
    </div>
  );
}

function Help({ keys, setKeys, onClose }: { keys: boolean; setKeys: (on: boolean) => void; onClose: () => void }) {
  const { keys: words, place, button } = useWords();
  const say = useSay();
  const list: [string, string][] = [
    ["/ f", say(words.search)],
    ...Object.entries(places).map(([key, name]): [string, string] => [`g ${key}`, say(place[name])]),
    ["j k", say(words.rows)],
    ["[ ]", say(words.pages)],
    ["r", say(words.reload)],
    ["?", say(words.list)],
  ];
  return (
    <Dialog title={<Say of={words.title} />} onClose={onClose}>
      <dl class="facts">
        {list.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <Tick name="keys-on" label={say(words.on)} checked={keys} onChange={setKeys} />
      <p>
        <a href="/docs/console" target="_blank" rel="noopener noreferrer">
          <Say of={words.guide} />
        </a>
      </p>
      <div class="choice">
        <Button name="close" onPress={onClose} safe>
          <Say of={button.close} />
        </Button>
      </div>
    </Dialog>
  );
}

export interface Crumb {
  title: string;
  href: string;
}

/** A page's heading, where it stands, and what can be done on the whole of it. */
export function Head({ title, crumbs = [], chips, acts }: { title: string; crumbs?: Crumb[]; chips?: ComponentChildren; acts?: ComponentChildren }) {
  const words = useWords();
  const say = useSay();
  useEffect(() => {
    document.title = `${title} · Candado`;
  }, [title]);
  return (
    <div class="head">
      <div>
        {crumbs.length > 0 && (
          <nav class="crumbs" aria-label={say(words.crumbs)}>
            {crumbs.map((crumb) => (
              <a key={crumb.href} href={crumb.href}>
                <bdi>{crumb.title}</bdi>
                <Icon name="arrow" />
              </a>
            ))}
          </nav>
        )}
        <h1>
          <bdi>{title}</bdi> {chips}
        </h1>
      </div>
      {acts && <div class="acts">{acts}</div>}
    </div>
  );
}
