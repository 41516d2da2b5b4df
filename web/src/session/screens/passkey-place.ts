// Where passkeys would be used: this browser, under this host.
import { useUi } from "../ui.ts";

export function usePasskeyPlace() {
  const { session } = useUi();
  return { webauthn: session.browser.webauthn, hostname: session.hostname };
}
