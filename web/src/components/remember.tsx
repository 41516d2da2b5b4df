// "Don't ask again in this browser", only where the session offers it.
import type { RefObject } from "preact";
import { useId } from "preact/hooks";
import { useView, useWords } from "../session/ui.ts";
import { Say } from "./say.tsx";

export function Remember({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const id = useId();
  const { verify } = useWords();
  const { remember, stage } = useView();
  // A fresh proof inside of managing is for one act.
  if (!remember.offered || stage === "manage") return null;
  return (
    <div class="tick">
      <input type="checkbox" id={id} name="remember" ref={input} aria-describedby={`${id}-hint`} />
      <div>
        <label for={id}>
          <Say of={verify.remember} n={remember.days} />
        </label>
        <p class="hint" id={`${id}-hint`}>
          {verify.rememberHint as string}
        </p>
      </div>
    </div>
  );
}
