// WebOTP: the browser hands over a code from a text message whose last line names this page's host, once the person
// has agreed in its dialog.

interface OtpCredential extends Credential {
  code: string;
}

/** Null if nothing came, it was refused, or `signal` ended the waiting. */
export async function codeFromText(signal: AbortSignal): Promise<string | null> {
  const options = { otp: { transport: ["sms"] }, signal } as CredentialRequestOptions;
  const credential = (await navigator.credentials.get(options).catch(() => null)) as OtpCredential | null;
  return credential?.code ?? null;
}
