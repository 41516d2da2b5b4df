// The recovery codes: shown once, until the person says that they are saved.
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { Copy } from "../../components/copy.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Steps } from "../../components/steps.tsx";
import { Trouble } from "../../components/told.tsx";
import { longDate } from "../../words/dates.ts";
import { useApp, usePlain, useUi, useView, useWords } from "../ui.ts";
import { codesFile } from "../codes-file.ts";

export function Codes({ codes }: { codes: string[] }) {
  const { session, speech, embedded } = useUi();
  const words = useWords();
  const { codes: say, button } = words;
  const app = useApp();
  const plain = usePlain();
  const { account_name, stage } = useView();
  const id = useId();
  const tick = useRef<HTMLInputElement>(null);
  const [unticked, setUnticked] = useState(false);
  const press = usePress();
  const now = session.now();
  const file = codesFile({ speech, app, account: account_name, codes, now });
  const url = useMemo(() => URL.createObjectURL(new Blob([file.text], { type: "text/plain;charset=utf-8" })), [file.text]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);

  const done = (event: Event) => {
    event.preventDefault();
    const saved = tick.current!.checked;
    setUnticked(!saved);
    if (!saved) return tick.current!.focus();
    void press.run((signal) => session.send({ method: "POST", path: "/recovery-codes/done" }, signal));
  };

  return (
    <AccountScreen title={say.title}>
      {stage === "enrol" && <Steps now="save" />}
      <p class="no-print">
        <Say of={say.lead} />
      </p>
      <div class="print-only">
        <p>
          <Say of={say.fileHead} app={app} />
        </p>
        <p>
          <Say of={say.fileDate} date={longDate(speech, now)} />
        </p>
        <p>
          <Say of={say.fileUse} />
        </p>
      </div>
      <ol class="codes" aria-label={plain(say.list)}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="acts no-print">
        <Copy text={file.text} said={say.copiedAll} />
        <a class="button secondary small" href={url} download={file.name}>
          <Icon name="download" />
          <span class="label">
            <Say of={say.download} />
          </span>
        </a>
        {/* Printing would print the page around the element, too. */}
        {!embedded && (
          <Button kind="secondary" icon="print" name="print" onPress={() => print()}>
            <Say of={say.print} />
          </Button>
        )}
      </div>
      <form noValidate class="no-print" onSubmit={done}>
        <div class="tick">
          <input
            type="checkbox"
            id={id}
            name="saved"
            ref={tick}
            aria-invalid={unticked ? "true" : undefined}
            aria-describedby={unticked ? `${id}-error` : undefined}
            onChange={() => setUnticked(false)}
          />
          <div>
            <label for={id}>
              <Say of={say.saved} />
            </label>
            {unticked && (
              <p class="error" id={`${id}-error`}>
                <Icon name="warning" />
                <span>
                  <Say of={say.tick} />
                </span>
              </p>
            )}
          </div>
        </div>
        <Trouble of={press.failure} about={{ on: "act" }} />
        <Button press={press} name="submit">
          <Say of={button.done} />
        </Button>
        <Slow press={press} />
      </form>
    </AccountScreen>
  );
}
