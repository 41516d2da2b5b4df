// A sentence on the screen. What stands in its places is text that somebody else wrote, or a live part of the page.
import { Fragment, isValidElement, type ComponentChild } from "preact";
import { formOf, pieces, type Message } from "../words/message.ts";
import { cut } from "../words/words.ts";
import { useUi } from "../session/ui.ts";

type Parts<Place extends string> = { [Key in Place]: string | number | ComponentChild };

export function Say<Place extends string = never>({ of, ...values }: { of: Message<Place> } & Parts<NoInfer<Place>>) {
  const { tag } = useUi().speech;
  const parts = values as unknown as Record<string, ComponentChild>;
  const text = formOf(of, parts, tag);
  return <>{pieces(text).map((piece, index) => (index % 2 ? <Fragment key={index}>{shown(parts[piece], tag)}</Fragment> : piece))}</>;
}

function shown(part: ComponentChild, tag: string): ComponentChild {
  if (typeof part === "string") return <Typed text={part} />;
  if (typeof part === "number") return new Intl.NumberFormat(tag).format(part);
  return isValidElement(part) ? part : null;
}

/** Text that somebody typed: it turns no direction but its own, and is short; the whole of it stands in the details. */
export const Typed = ({ text }: { text: string }) => <bdi>{cut(text)}</bdi>;
