// One screen: one heading, one task. A new screen takes the focus to its heading, or to the field that is alone there.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useApp, usePlain, useUi, useView } from "../session/ui.ts";
import type { Message } from "../words/message.ts";
import { Icon } from "./icon.tsx";
import { Say, Typed } from "./say.tsx";

interface Props {
  title: ComponentChildren;
  /** The title as plain text, for the document. */
  named: string;
  /** Where Back leads to, in words; without it "Back". */
  backTo?: Message;
  children: ComponentChildren;
  account?: ComponentChildren;
}

export function Screen({ title, named, backTo, children, account }: Props) {
  const ui = useUi();
  const app = useApp();
  const element = useRef<HTMLDivElement>(null);
  // Under the heading of the page around it.
  const Heading = ui.embedded ? "h2" : "h1";
  // Before anything is painted: a key that is pressed at once finds the focus where it belongs.
  useLayoutEffect(() => {
    const root = element.current!;
    const wanted = ui.first ? "[data-focus]" : '[data-focus="always"]';
    (root.querySelector<HTMLElement>(wanted) ?? root.querySelector<HTMLElement>(".heading"))?.focus();
  }, []);
  useEffect(() => {
    if (!ui.embedded) document.title = app ? `${named} · ${app}` : named;
  }, [named, app]);
  return (
    <div class="screen" ref={element}>
      {ui.canGoBack && (
        <button type="button" class="back" name="back" onClick={ui.back}>
          <Icon name="back" />
          <span>
            <Say of={backTo ?? ui.speech.words.button.back} />
          </span>
        </button>
      )}
      <Heading class="heading" tabIndex={-1}>
        {title}
      </Heading>
      {account}
      {children}
    </div>
  );
}

/** A screen whose title is a sentence without places, with the account under it. */
export function AccountScreen({ title, backTo, children }: { title: Message; backTo?: Message; children: ComponentChildren }) {
  const say = usePlain();
  return (
    <Screen title={<Say of={title} />} named={say(title)} account={<Account />} {...(backTo && { backTo })}>
      {children}
    </Screen>
  );
}

/** Whose account it is stands on every screen: a person who was led into another one's session sees it. */
function Account() {
  const { account_name } = useView();
  return account_name ? (
    <p class="account">
      <Typed text={account_name} />
    </p>
  ) : null;
}
