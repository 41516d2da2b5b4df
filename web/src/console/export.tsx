// Where an export is asked for, and seen to go on.
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../components/dialog.tsx";
import { Failure, type Query } from "./api.ts";
import { collect, commandFor, formats, type Format } from "./collect.ts";
import { save } from "./download.ts";
import { Banner, Button, CopyButton, Field, Problem, Say } from "./parts.tsx";
import { fileName } from "./text.ts";
import { useConsole, useSay, useTask } from "./ui.ts";

export function ExportDialog({ query, onClose }: { query: Query; onClose: () => void }) {
  const { api, words, toast, announce } = useConsole();
  const { audit: w } = words;
  const say = useSay();
  const task = useTask();
  const [format, setFormat] = useState<Format>("csv");
  const [rows, setRows] = useState<number | null>(null);
  const [large, setLarge] = useState(false);
  const ending = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const start = () => {
    ending.current = new AbortController();
    const { signal } = ending.current;
    void task.run(async () => {
      setRows(0);
      const found = await collect(api, query, format, signal, setRows);
      if (signal.aborted) throw new Failure("aborted");
      if (!found) return setLarge(true);
      const day = (at: unknown) => (typeof at === "number" ? new Date(at * 1000).toISOString().slice(0, 10) : undefined);
      const name = fileName("audit", query.client_id as string | undefined, day(query.from), day(query.to) ?? day(Date.now() / 1000));
      save(`${name}.${format}`, formats[format], found.parts);
      onClose();
      toast(say(w.exportDone, { n: found.rows }));
    });
    announce(say(words.loading));
  };
  return (
    <Dialog title={<Say of={w.exportTitle} />} onClose={onClose}>
      <p>
        <Say of={w.exportText} />
      </p>
      <Field label={say(w.format)} name="format" value={format} onInput={(value) => setFormat(value as Format)} options={(Object.keys(formats) as Format[]).map((one) => [one, say(w[one])] as const)} />
      {rows !== null && !large && (
        <p role="status">
          <Say of={w.exportRows} n={rows} />
        </p>
      )}
      {large && (
        <Banner tone="info">
          <p>
            <Say of={w.exportLarge} />
          </p>
          <div class="secret">
            <code>{commandFor(query, format)}</code>
            <CopyButton text={commandFor(query, format)} />
          </div>
        </Banner>
      )}
      {task.failure && (
        <Banner tone="bad">
          <Problem failure={task.failure} />
        </Banner>
      )}
      <div class="choice">
        <Button name="safe" onPress={onClose} safe>
          <Say of={words.button.cancel} />
        </Button>
        <Button kind="primary" name="start" busy={task.busy} onPress={start}>
          <Say of={w.exportStart} />
        </Button>
      </div>
    </Dialog>
  );
}
