// What every screen can reach: the session, its words, and the way to other screens.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Message, Values } from "../words/message.ts";
import { plain, type Speech, type Words } from "../words/words.ts";
import type { SessionView } from "./protocol.ts";
import type { Session } from "./store.ts";

export interface Ui {
  session: Session;
  speech: Speech;
  /** Inside somebody else's page: no header, no foot, nothing that takes over the window. */
  embedded: boolean;
  /** Nothing has been shown before this screen: the field may take the focus, and a message may start by itself. */
  first: boolean;
  canGoBack: boolean;
  go(route: string): void;
  /** In the place of this screen, which Back then skips. */
  goInstead(route: string): void;
  back(): void;
  /** Back to where the session begins now. */
  restart(): void;
}

export const UiContext = createContext<Ui | null>(null);

export const useUi = (): Ui => useContext(UiContext)!;

/** Only for screens that stand on a session. */
export const useView = (): SessionView => useUi().session.view!;

export const useWords = (): Words => useUi().speech.words;

/** A sentence as plain text. */
export function usePlain() {
  const { speech } = useUi();
  return <Place extends string = never>(message: Message<Place>, values?: Values<NoInfer<Place>>) => plain(speech, message, (values ?? {}) as Values<Place>);
}

export const useApp = (): string => useUi().session.surroundings?.brand.name ?? "";
