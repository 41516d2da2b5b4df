// What every page of the console can reach, and how it asks for something and does something.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { formOf, pieces, type Message, type Values } from "../words/message.ts";
import { type Api, Failure } from "./api.ts";
import type { Route } from "./route.ts";
import { seen } from "./text.ts";
import type { Words } from "./words/words.ts";

export interface Console {
  api: Api;
  route: Route;
  words: Words;
  /** What `Intl` formats dates and numbers with. */
  tag: string;
  /** A thing that was done: shown for a moment. */
  toast(text: string): void;
  /** Said to readers of the screen only. */
  announce(text: string): void;
  go(address: string): void;
  /** The same page with other filters, which Back skips. */
  replace(address: string): void;
}

export const ConsoleContext = createContext<Console | null>(null);

export const useConsole = (): Console => useContext(ConsoleContext)!;

export const useWords = (): Words => useConsole().words;

/** A sentence as plain text. */
export function useSay() {
  const { tag } = useConsole();
  return <Place extends string = never>(message: Message<Place>, values: Values<NoInfer<Place>> = {} as Values<NoInfer<Place>>) =>
    pieces(formOf(message, values, tag))
      .map((piece, index) => {
        if (index % 2 === 0) return piece;
        const value = values[piece as Place];
        // Isolated: text of the other direction turns nothing around it.
        return typeof value === "string" ? `\u2068${seen(value)}\u2069` : new Intl.NumberFormat(tag).format(value);
      })
      .join("");
}

export interface Loaded<Value> {
  /** The last answer, which stays while a newer one is on its way. */
  value: Value | null;
  failure: Failure | null;
  loading: boolean;
  reload(): void;
}

/** Asks when `key` changes. What is asked for something else is ended, and its answer dropped. */
export function useLoad<Value>(key: string, ask: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [answer, setAnswer] = useState<{ key: string; value: Value | null; failure: Failure | null } | null>(null);
  const [turn, setTurn] = useState(0);
  const [loading, setLoading] = useState(true);
  useEffect(() => {
    const ending = new AbortController();
    setLoading(true);
    ask(ending.signal).then(
      (value) => !ending.signal.aborted && (setAnswer({ key, value, failure: null }), setLoading(false)),
      (failure) => {
        if (ending.signal.aborted) return;
        setAnswer((before) => ({ key, value: before?.key === key ? before.value : null, failure: failure as Failure }));
        setLoading(false);
      },
    );
    return () => ending.abort();
  }, [key, turn]);
  const current = answer?.key === key ? answer : null;
  return { value: current?.value ?? null, failure: current?.failure ?? null, loading: loading || current === null, reload: () => setTurn((count) => count + 1) };
}

export interface Task {
  busy: boolean;
  failure: Failure | null;
  /** A second press while the first is under way does nothing. */
  run(work: () => Promise<void>): Promise<void>;
  forget(): void;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const working = useRef(false);
  const run = async (work: () => Promise<void>) => {
    if (working.current) return;
    working.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code !== "aborted") setFailure(error);
    } finally {
      working.current = false;
      setBusy(false);
    }
  };
  return { busy, failure, run, forget: () => setFailure(null) };
}

const DAY = 24 * 60 * 60;

/** A time as people say it, in the browser's zone; the whole of it for a title. */
export function useTime() {
  const { tag } = useConsole();
  return {
    exact: (at: number) => new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium" }).format(at * 1000),
    day: (at: number) => new Intl.DateTimeFormat(tag, { dateStyle: "medium" }).format(at * 1000),
    /** The time of day for a day not long past, the day for others. */
    brief: (at: number) =>
      Date.now() / 1000 - at < DAY / 2
        ? new Intl.DateTimeFormat(tag, { timeStyle: "medium" }).format(at * 1000)
        : new Intl.DateTimeFormat(tag, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(at * 1000),
    utc: (at: number) => new Date(at * 1000).toISOString(),
  };
}
