// After a recovery: which of the former ways are gone. What looks lost is ticked.
import { useRef, useState } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say, Typed } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import type { Factor, Lost as LostOnes } from "../protocol.ts";
import { useUi, useView, useWords } from "../ui.ts";

/** A passkey that is backed up came back with the new device. */
const looksLost = ({ passkey }: Factor) => !passkey?.backed_up;

export function Lost() {
  const { session } = useUi();
  const { recover, way } = useWords();
  const former = useView().factors.filter((factor) => !factor.added_here);
  const press = usePress();
  const form = useRef<HTMLFormElement>(null);
  const [unticked, setUnticked] = useState(false);
  const send = (factor_ids: string[]) => {
    const body: LostOnes = { factor_ids };
    void press.run((signal) => session.send({ method: "POST", path: "/lost", body }, signal));
  };
  const remove = (event: Event) => {
    event.preventDefault();
    const ticked = [...form.current!.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
    setUnticked(ticked.length === 0);
    if (ticked.length === 0) return form.current!.querySelector("input")?.focus();
    send(ticked);
  };
  return (
    <AccountScreen title={recover.lostTitle}>
      <p id="lost-lead">
        <Say of={recover.lostLead} />
      </p>
      <form noValidate ref={form} onSubmit={remove}>
        <ul class="rows ticks">
          {former.map((factor) => (
            <li key={factor.id}>
              <label class="row">
                <input
                  type="checkbox"
                  name="lost"
                  value={factor.id}
                  defaultChecked={looksLost(factor)}
                  aria-describedby={unticked ? "lost-error" : undefined}
                  onChange={() => setUnticked(false)}
                />
                <Icon name={factor.type} />
                <span class="row-text">
                  <span class="row-title">
                    <Typed text={factor.name} />
                  </span>{" "}
                  <span class="row-line">
                    <Say of={way[factor.type]} />
                  </span>
                </span>
              </label>
            </li>
          ))}
        </ul>
        {unticked && (
          <p class="error" id="lost-error">
            <Icon name="warning" />
            <span>
              <Say of={recover.lostPick} />
            </span>
          </p>
        )}
        <Trouble of={press.failure} about={{ on: "act" }} />
        <Button name="remove-lost" kind="danger" press={press}>
          <Say of={recover.lostRemove} />
        </Button>
        <Button name="lost-none" kind="secondary" press={press} onPress={() => send([])}>
          <Say of={recover.lostNone} />
        </Button>
        <Slow press={press} />
      </form>
    </AccountScreen>
  );
}
