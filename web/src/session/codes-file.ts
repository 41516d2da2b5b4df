// The recovery codes as a file that still says, years later, what it is for.
import { fileDate, longDate } from "../words/dates.ts";
import { pieces } from "../words/message.ts";
import type { Speech } from "../words/words.ts";
import type { UnixTime } from "./protocol.ts";

interface Content {
  speech: Speech;
  app: string;
  account: string | null;
  codes: string[];
  now: UnixTime;
}

const fill = (text: unknown, value: string) => pieces(text as string).map((piece, index) => (index % 2 ? value : piece)).join("");

/** Letters and digits of any script; nothing that a file system, or the eye, reads as something else. */
const nameOf = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}@._-]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);

export function codesFile({ speech, app, account, codes, now }: Content): { name: string; text: string } {
  const { codes: words } = speech.words;
  const name = [nameOf(app), words.file as string, account && nameOf(account), fileDate(now)].filter(Boolean).join("-");
  const lines = [
    fill(words.fileHead, app),
    ...(account ? [fill(words.fileAccount, account)] : []),
    fill(words.fileDate, longDate(speech, now)),
    "",
    words.fileUse as string,
    "",
    ...codes.map((code, index) => `${String(index + 1).padStart(2)}  ${code}`),
    "",
  ];
  return { name: `${name}.txt`, text: lines.join("\r\n") };
}
