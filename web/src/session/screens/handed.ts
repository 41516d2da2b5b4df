// A code that the browser read in a text message, while the screen that waits for it is shown.
import { useEffect, useState } from "preact/hooks";
import type { Channel, Sent } from "../protocol.ts";
import { useUi } from "../ui.ts";
import { codeFromText } from "../webotp.ts";

export function useHandedCode(type: Channel, sent: Sent): string | null {
  const { session } = useUi();
  const [handed, setHanded] = useState<string | null>(null);
  useEffect(() => {
    if (type !== "sms" || !session.browser.webOtp) return;
    const leaving = new AbortController();
    void codeFromText(leaving.signal).then((code) => !leaving.signal.aborted && setHanded(code));
    return () => leaving.abort();
  }, [sent.sent_at]);
  return handed;
}
