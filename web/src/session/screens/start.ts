// A message or request that begins by itself: only where this very browser got in that way before, once a session,
// and only when the page was opened, not on a reload, on Back or after an error.
import { useEffect } from "preact/hooks";
import type { MethodType } from "../protocol.ts";
import { useUi, useView } from "../ui.ts";

export function useStart(type: MethodType, idle: boolean, start: () => void) {
  const { session, first } = useUi();
  const { auto_send, last_method } = useView();
  useEffect(() => {
    if (first && idle && session.fresh && auto_send && last_method === type) start();
  }, []);
}
