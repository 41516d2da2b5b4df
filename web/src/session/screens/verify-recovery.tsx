// One of the saved recovery codes.
import { useId } from "preact/hooks";
import { CodeForm } from "../../components/code-form.tsx";
import { Say } from "../../components/say.tsx";
import { useWords } from "../ui.ts";
import { useProof } from "./proof.ts";

export function RecoveryCode() {
  const id = useId();
  const words = useWords();
  const prove = useProof();
  return (
    <>
      <p id={id}>
        <Say of={words.verify.recovery} />
      </p>
      <CodeForm
        lengths={null}
        label={<Say of={words.way.recovery_code} />}
        about={{ on: "recovery_code" }}
        describedBy={id}
        submit={(code, _remember, signal) => prove({ method: "recovery_code", code }, signal)}
      />
    </>
  );
}
