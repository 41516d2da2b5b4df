// Copy, which turns into "Copied" in its place.
import { useEffect, useState } from "preact/hooks";
import { useUi, useWords } from "../session/ui.ts";
import { Icon } from "./icon.tsx";
import { Say } from "./say.tsx";
import type { Message } from "../words/message.ts";

/** Milliseconds. */
const SHOWN = 2_000;

interface Props {
  text: string;
  label?: Message;
  /** What is announced. */
  said?: Message;
}

export function Copy({ text, label, said }: Props) {
  const { session } = useUi();
  const { button } = useWords();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    // A browser that refuses leaves the text on the screen, to be selected.
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setCopied(done);
    if (done) session.voice.say((said ?? button.copied) as string);
  };
  return (
    <button type="button" class="button secondary small" name="copy" onClick={() => void copy()}>
      <Icon name={copied ? "done" : "copy"} />
      <span class="label">
        <Say of={copied ? button.copied : (label ?? button.copy)} />
      </span>
    </button>
  );
}
