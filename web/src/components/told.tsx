// What is told of a failure, in the place where it is told.
import { Fragment } from "preact";
import { Failure } from "../session/client.ts";
import { explain, type Circumstances, type Sentence } from "../session/problems.ts";
import { useApp, useUi } from "../session/ui.ts";
import { minutes } from "../words/dates.ts";
import { plain, type Speech } from "../words/words.ts";
import type { Message } from "../words/message.ts";
import { Banner } from "./banner.tsx";
import { Countdown, useNow } from "./countdown.tsx";
import type { FieldError } from "./field.tsx";
import { Say } from "./say.tsx";

export type About = Pick<Circumstances, "on"> & Partial<Circumstances>;

/** The sentences for a failure. Their deadlines count from when it happened, however often it is looked at. */
export function useExplain() {
  const { session, speech } = useUi();
  const app = useApp();
  return (failure: Failure, about: About) => {
    const ago = (Date.now() - failure.at) / 1000;
    return explain(failure, { speech, app, now: session.now() - ago, ...about });
  };
}

const Sentences = ({ of }: { of: Sentence[] }) => (
  <>
    {of.map((sentence, index) => (
      <Fragment key={index}>
        {index > 0 && " "}
        <One of={sentence} />
      </Fragment>
    ))}
  </>
);

function One({ of: { message, values, deadline } }: { of: Sentence }) {
  const now = useNow(deadline?.at ?? null);
  if (deadline?.over && now >= deadline.at) return <Say of={deadline.over} />;
  return <Say of={message} {...values} {...(deadline && { left: <Countdown until={deadline.at} /> })} />;
}

/** The same as plain text, for readers. */
const spoken = (speech: Speech, sentences: Sentence[], now: number) =>
  sentences
    .map(({ message, values, deadline }) => plain(speech, message as Message<string>, { ...values, ...(deadline && { left: minutes(deadline.at - now) }) }))
    .join(" ");

/** The failure of a form with one field, as that field tells it. */
export function useFieldError(failure: Failure | null, about: About): FieldError | null {
  const { session, speech } = useUi();
  const explained = useExplain();
  if (!failure) return null;
  const sentences = explained(failure, about);
  if (sentences.length === 0) return null;
  return { children: <Sentences of={sentences} />, spoken: spoken(speech, sentences, session.now()), at: failure.at };
}

/** A failure that belongs to no field: it takes the focus. */
export function Trouble({ of, about }: { of: Failure | null; about: About }) {
  const explained = useExplain();
  if (!of) return null;
  const sentences = explained(of, about);
  if (sentences.length === 0) return null;
  return (
    <Banner tone={about.on === "push" ? "info" : "bad"} focused>
      <Sentences of={sentences} />
    </Banner>
  );
}
