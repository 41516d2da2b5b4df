// Every way of this account, the recovery codes, the remembered browsers, and the switch that ends all of it.
import { useEffect, useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { Button, Slow } from "../../components/button.tsx";
import { Choice, Dialog } from "../../components/dialog.tsx";
import { usePress } from "../../components/press.ts";
import { Row, Rows } from "../../components/rows.tsx";
import { Say, Typed } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { when } from "../../words/dates.ts";
import { Failure } from "../client.ts";
import { best } from "../order.ts";
import type { Factor } from "../protocol.ts";
import { usePlain, useUi, useView, useWords } from "../ui.ts";
import { usePasskeyPlace } from "./passkey-place.ts";

/** The one that was used last first; unfinished ones last. */
export const sorted = (factors: Factor[]) =>
  [...factors].sort(
    (a, b) => Number(a.state === "pending") - Number(b.state === "pending") || (b.last_used_at ?? b.created_at) - (a.last_used_at ?? a.created_at),
  );

export function ManageList() {
  const { go } = useUi();
  const { manage } = useWords();
  const { factors, recovery_codes_remaining: codes, trusted_devices } = useView();
  const on = factors.some(({ state }) => state !== "pending");
  return (
    <AccountScreen title={manage.title}>
      {!on && (
        <Banner tone="info">
          <Say of={manage.empty} />
        </Banner>
      )}
      <Rows>
        {sorted(factors).map((factor) => (
          <Row
            key={factor.id}
            icon={factor.type}
            name={`factor-${factor.id}`}
            title={<Typed text={factor.name} />}
            line={<Meta factor={factor} />}
            onPress={() => go(`manage/factor/${factor.id}`)}
          />
        ))}
      </Rows>
      <Button name="add" kind={on ? "secondary" : "primary"} first={!on} onPress={() => go("enrol/list")}>
        <Say of={manage.add} />
      </Button>
      {on && (
        <>
          <Rows>
            <Row
              icon="recovery_code"
              name="codes"
              title={<Say of={manage.codes} />}
              line={codes === 0 ? <Say of={manage.codesNone} /> : <Say of={manage.codesLeft} n={codes} />}
              onPress={() => go("manage/codes")}
            />
            <Row
              icon="browser"
              name="browsers"
              title={<Say of={manage.browsers} />}
              line={trusted_devices.length === 0 ? <Say of={manage.noBrowser} /> : String(trusted_devices.length)}
              onPress={() => go("manage/browsers")}
            />
          </Rows>
          <TurnOff />
        </>
      )}
    </AccountScreen>
  );
}

function Meta({ factor }: { factor: Factor }) {
  const { session, speech } = useUi();
  const { manage, way } = useWords();
  if (factor.state === "pending") return <Say of={manage.pending} />;
  if (factor.state === "disabled") return <Say of={manage.disabled} />;
  const used =
    factor.last_used_at === null ? <Say of={manage.neverUsed} /> : <Say of={manage.usedOn} when={when(speech, factor.last_used_at, session.now())} />;
  return (
    <>
      <Say of={way[factor.type]} /> · {used}
    </>
  );
}

/** Wants a proof that is younger than five minutes; without one the service asks, and the page goes through it first. */
function TurnOff() {
  const { session, go } = useUi();
  const { manage } = useWords();
  const say = usePlain();
  const view = useView();
  const place = usePasskeyPlace();
  const [asking, setAsking] = useState(false);
  const press = usePress();
  const disable = async () => {
    await session.send({ method: "POST", path: "/disable" });
    session.voice.show(say(manage.turnedOff));
  };
  const turnOff = () =>
    void press.run(async () => {
      try {
        await disable();
        setAsking(false);
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== "step_up_required") throw error;
        const method = best(view, place, session.now());
        if (!method) throw error;
        session.wanted = disable;
        setAsking(false);
        go(`verify/${method.type}`);
      }
    });
  // Whoever comes back without the proof wants it no more.
  useEffect(() => {
    session.wanted = null;
  }, []);
  return (
    <>
      <Button kind="risky" name="turn-off" onPress={() => setAsking(true)}>
        <Say of={manage.turnOff} />
      </Button>
      {asking && (
        <Dialog title={<Say of={manage.turnOffTitle} />} onClose={() => setAsking(false)}>
          <p>
            <Say of={manage.turnOffText} />
          </p>
          <Trouble of={press.failure} about={{ on: "act" }} />
          <Choice safe={<Say of={manage.keepOn} />} onSafe={() => setAsking(false)}>
            <Button kind="danger" name="act" press={press} onPress={turnOff}>
              <Say of={manage.off} />
            </Button>
          </Choice>
          <Slow press={press} />
        </Dialog>
      )}
    </>
  );
}
