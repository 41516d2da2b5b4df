// Which way to set up. Ways that cannot work here are not listed, and exactly one is recommended.
import { useState } from "preact/hooks";
import { Banner } from "../../components/banner.tsx";
import { usePress } from "../../components/press.ts";
import { Row, Rows } from "../../components/rows.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { Slow } from "../../components/button.tsx";
import { Trouble } from "../../components/told.tsx";
import { offered, recommended } from "../offers.ts";
import type { BeginFactor, WayType } from "../protocol.ts";
import { useApp, useUi, useView, useWords } from "../ui.ts";
import { HelpRow } from "./help.tsx";

export function EnrolList() {
  const { session, go } = useUi();
  const words = useWords();
  const app = useApp();
  const view = useView();
  const press = usePress();
  const [pressed, setPressed] = useState<WayType | null>(null);
  const types = offered(view, session.browser, session.hostname);
  const full = view.enrolment?.full ?? {};
  const best = recommended(types.filter((type) => !full[type]), session.browser);
  const first = !view.factors.some(({ state }) => state === "active");

  const begin = (type: WayType) => {
    if (type !== "totp" && type !== "push") return go(`enrol/${type}`);
    setPressed(type);
    const body: BeginFactor = { type };
    void press.run(async (signal) => {
      await session.send({ method: "POST", path: "/factors", body }, signal);
      go(`enrol/${type}`);
    });
  };

  return (
    <AccountScreen title={first ? words.enrol.title : words.enrol.addTitle}>
      {(first || view.enrolment?.recovered) && (
        <p>
          <Say of={view.enrolment?.recovered ? words.enrol.newWay : words.enrol.lead} />
        </p>
      )}
      <Trouble of={press.failure} about={{ on: "enrol", ...(pressed && { type: pressed }) }} />
      {types.length === 0 && (
        <>
          <Banner tone="info">
            <Say of={words.enrol.none} app={app} />
          </Banner>
          <HelpRow />
        </>
      )}
      <Rows>
        {types.map((type) => (
          <Row
            key={type}
            icon={type}
            name={`add-${type}`}
            title={<Say of={words.way[type]} />}
            chip={type === best && <Say of={words.enrol.recommended} />}
            line={full[type] ? <Say of={words.enrol.full} n={full[type]} /> : <Line type={type} passkeys={types.includes("passkey")} />}
            busy={press.busy}
            onPress={full[type] ? undefined : () => begin(type)}
          />
        ))}
      </Rows>
      <Slow press={press} />
    </AccountScreen>
  );
}

function Line({ type, passkeys }: { type: WayType; passkeys: boolean }) {
  const { enrol } = useWords();
  const { apple } = useUi().session.browser;
  // There the authenticator has to be put on the home screen first, in seven presses.
  if (type === "push") return <Say of={apple && passkeys ? enrol.pushRowPhone : enrol.pushRow} />;
  return <Say of={enrol[`${type}Row`]} />;
}
