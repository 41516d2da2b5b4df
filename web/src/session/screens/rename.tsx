// The name of a way: 1 to 40 characters, each name once.
import { useRef } from "preact/hooks";
import { Button, Slow } from "../../components/button.tsx";
import { Field } from "../../components/field.tsx";
import { usePress } from "../../components/press.ts";
import { Say } from "../../components/say.tsx";
import { useFieldError } from "../../components/told.tsx";
import type { Factor } from "../protocol.ts";
import { useUi, useWords } from "../ui.ts";

export function Rename({ factor }: { factor: Factor }) {
  const { session } = useUi();
  const { manage } = useWords();
  const input = useRef<HTMLInputElement>(null);
  const press = usePress();
  const save = (event: Event) => {
    event.preventDefault();
    void press.run(async (signal) => {
      await session.send({ method: "PATCH", path: `/factors/${encodeURIComponent(factor.id)}`, body: { name: input.current!.value.trim() } }, signal);
      session.voice.show(manage.saved as string);
    });
  };
  const error = useFieldError(press.failure, { on: "name" });
  return (
    <form noValidate class="rename" onSubmit={save}>
      <Field label={<Say of={manage.name} />} name="name" kind="text" input={input} error={error} value={factor.name} focus="never" />
      <Button kind="secondary" press={press} name="save">
        <Say of={manage.save} />
      </Button>
      <Slow press={press} />
    </form>
  );
}
