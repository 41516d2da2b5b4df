// Recovery codes and remembered browsers of an account.
import { useState } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { Choice, Dialog } from "../../components/dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { usePress } from "../../components/press.ts";
import { Say, Typed } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Trouble } from "../../components/told.tsx";
import { when } from "../../words/dates.ts";
import type { TrustedDevice } from "../protocol.ts";
import { usePlain, useUi, useView, useWords } from "../ui.ts";

export function ManageCodes() {
  const { session } = useUi();
  const { codes, manage } = useWords();
  const { recovery_codes_remaining: left } = useView();
  const [asking, setAsking] = useState(false);
  const press = usePress();
  const make = () =>
    void press.run(async (signal) => {
      await session.send({ method: "POST", path: "/recovery-codes" }, signal);
    });
  return (
    <AccountScreen title={manage.codes} backTo={manage.title}>
      <p>{left === 0 ? <Say of={manage.codesNone} /> : <Say of={manage.codesLead} n={left} />}</p>
      {left === 0 && <Trouble of={press.failure} about={{ on: "act" }} />}
      <Button kind={left === 0 ? "primary" : "secondary"} name="make-codes" first press={press} onPress={() => (left === 0 ? make() : setAsking(true))}>
        <Say of={codes.make} />
      </Button>
      {asking && (
        <Dialog title={<Say of={manage.codesTitle} />} onClose={() => setAsking(false)}>
          <p>
            <Say of={manage.codesText} n={left} />
          </p>
          <Trouble of={press.failure} about={{ on: "act" }} />
          <Choice safe={<Say of={manage.codesKeep} />} onSafe={() => setAsking(false)}>
            <Button kind="danger" name="act" press={press} onPress={make}>
              <Say of={codes.make} />
            </Button>
          </Choice>
          <Slow press={press} />
        </Dialog>
      )}
    </AccountScreen>
  );
}

export function ManageBrowsers() {
  const { session } = useUi();
  const { manage } = useWords();
  const say = usePlain();
  const { trusted_devices: devices } = useView();
  const press = usePress();
  const forget = (path: string) =>
    void press.run(async (signal) => {
      await session.send({ method: "DELETE", path: `/trusted-devices${path}` }, signal);
      session.voice.show(say(manage.forgotten));
    });
  return (
    <AccountScreen title={manage.browsers} backTo={manage.title}>
      <Trouble of={press.failure} about={{ on: "act" }} />
      {devices.length === 0 && (
        <p>
          <Say of={manage.noBrowser} />
        </p>
      )}
      <ul class="rows">
        {devices.map((device) => (
          <li key={device.id} class="row still">
            <Icon name="browser" />
            <span class="row-text">
              <span class="row-title">
                <Typed text={device.browser} />
              </span>
              <span class="row-line">
                <Since device={device} />
              </span>
            </span>
            <Button
              kind="secondary"
              name={`forget-${device.id}`}
              press={press}
              label={say(manage.forgetThis, { browser: device.browser })}
              onPress={() => forget(`/${encodeURIComponent(device.id)}`)}
            >
              <Say of={manage.forget} />
            </Button>
          </li>
        ))}
      </ul>
      {devices.length > 1 && (
        <Button kind="secondary" name="forget-all" press={press} onPress={() => forget("")}>
          <Say of={manage.forgetAll} />
        </Button>
      )}
      <Slow press={press} />
    </AccountScreen>
  );
}

function Since({ device }: { device: TrustedDevice }) {
  const { session, speech } = useUi();
  const { manage } = useWords();
  const since = when(speech, device.created_at, session.now());
  if (device.last_used_at === null) return <Say of={manage.browserSince} since={since} />;
  return <Say of={manage.browserUsed} since={since} when={when(speech, device.last_used_at, session.now())} />;
}
