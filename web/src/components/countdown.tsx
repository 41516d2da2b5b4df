// Time that runs out, by the service's clock, right after sleep and in a browser whose clock is wrong.
import { useEffect, useRef, useState } from "preact/hooks";
import { minutes } from "../words/dates.ts";
import type { UnixTime } from "../session/protocol.ts";
import { useUi } from "../session/ui.ts";

/** Readers hear of it once more that long before the end. Seconds. */
const WARNING = 30;

/** The service's time, which goes on by the second until the deadline is over. */
export function useNow(deadline: UnixTime | null): UnixTime {
  const { session } = useUi();
  const [, tick] = useState(0);
  const now = session.now();
  const left = deadline === null ? 0 : deadline - now;
  useEffect(() => {
    if (left <= 0) return;
    // A little behind the full second, so that the figure never repeats.
    const timer = setTimeout(() => tick((count) => count + 1), ((left % 1) || 1) * 1000 + 20);
    return () => clearTimeout(timer);
  });
  return now;
}

/** Whether the deadline is over; says so when it happens. */
export function useOver(deadline: UnixTime | null, said?: string): boolean {
  const { session } = useUi();
  const now = useNow(deadline);
  const over = deadline !== null && now >= deadline;
  const before = useRef(over);
  useEffect(() => {
    if (over && !before.current && said) session.voice.say(said);
    before.current = over;
  }, [over]);
  return over;
}

interface Props {
  until: UnixTime;
  /** The sentence it stands in, with that time left, for readers: once at 30 seconds. */
  said?: (left: string) => string;
}

export function Countdown({ until, said }: Props) {
  const { session } = useUi();
  const left = until - useNow(until);
  const warned = useRef(left <= WARNING);
  useEffect(() => {
    if (warned.current || left > WARNING || left <= 0) return;
    warned.current = true;
    if (said) session.voice.say(said(minutes(left)));
  });
  return (
    <span class="count" role="timer">
      {minutes(left)}
    </span>
  );
}
