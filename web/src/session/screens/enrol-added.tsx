// A new way has a name that was proposed; here it can be changed.
import { Banner } from "../../components/banner.tsx";
import { Button } from "../../components/button.tsx";
import { Say } from "../../components/say.tsx";
import { AccountScreen } from "../../components/screen.tsx";
import { useUi, useView, useWords } from "../ui.ts";
import { Rename } from "./rename.tsx";

export function EnrolAdded({ id }: { id: string }) {
  const { goInstead } = useUi();
  const { button, enrol } = useWords();
  const factor = useView().factors.find((one) => one.id === id);
  if (!factor) return null;
  return (
    <AccountScreen title={enrol.added[factor.type]}>
      {factor.type === "push" && (
        <Banner tone="good">
          <Say of={enrol.connected} device={factor.name} />
        </Banner>
      )}
      <Rename factor={factor} />
      <Button name="continue" first onPress={() => goInstead("enrol/second")}>
        <Say of={button.continue} />
      </Button>
    </AccountScreen>
  );
}
