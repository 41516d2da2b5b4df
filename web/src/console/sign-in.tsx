// One field. What is typed goes into the API's memory, and the field is gone with this screen.
import { useEffect, useRef, useState } from "preact/hooks";
import { Banner, Button, Field, Problem, Say } from "./parts.tsx";
import { useConsole, useSay, useTask } from "./ui.ts";
import { languages, type Language } from "./words/words.ts";

/** Why nobody is signed in; null before anybody was. */
export type Reason = "idle" | "refused" | "left" | null;

interface Props {
  reason: Reason;
  language: Language;
  setLanguage: (language: Language) => void;
  onOpen: () => void;
}

export function SignIn({ reason, language, setLanguage, onOpen }: Props) {
  const { api, words } = useConsole();
  const say = useSay();
  const task = useTask();
  const [token, setToken] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const focus = () => form.current!.querySelector<HTMLInputElement>("[name=token]")!.focus();
  useEffect(() => {
    document.title = `${say(words.signIn.title)} · Candado`;
    focus();
  }, [words]);
  const enter = () =>
    task.run(async () => {
      try {
        await api.enter(token.trim());
      } catch (failure) {
        focus();
        throw failure;
      }
      onOpen();
    });
  const { failure } = task;
  return (
    <main class="sign-in">
      <div class="card">
        <p class="brand">Candado</p>
        <h1>
          <Say of={words.signIn.title} />
        </h1>
        {reason && !failure && (
          <Banner tone={reason === "left" ? "info" : "warn"}>
            <Say of={words.signIn[reason]} />
          </Banner>
        )}
        {failure && (
          <Banner tone="bad">{failure.status === 404 ? <Say of={words.signIn.none} /> : failure.status === 401 ? <Say of={words.problem.invalid_token} /> : <Problem failure={failure} />}</Banner>
        )}
        <form
          ref={form}
          onSubmit={(event) => {
            event.preventDefault();
            void enter();
          }}
        >
          <p>
            <Say of={words.signIn.lead} />
          </p>
          <Field label={say(words.signIn.service)} name="service" value={location.host} onInput={() => {}} autocomplete="username" more={{ readOnly: true }} />
          <Field label={say(words.signIn.token)} name="token" kind="password" value={token} onInput={setToken} autocomplete="current-password" hint={<Say of={words.signIn.memory} />} />
          <Button kind="primary" name="enter" busy={task.busy}>
            <Say of={words.signIn.button} />
          </Button>
        </form>
        <p class="languages">
          {(Object.keys(languages) as Language[])
            .filter((one) => one !== language)
            .map((one) => (
              <button type="button" class="link" key={one} lang={one} onClick={() => setLanguage(one)}>
                {languages[one].language as string}
              </button>
            ))}
        </p>
      </div>
    </main>
  );
}
