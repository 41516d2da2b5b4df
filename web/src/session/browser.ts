// What this browser can do, asked once at the start.

export interface Browser {
  webauthn: boolean;
  /** Passkeys can stand among the suggestions of a field. */
  conditional: boolean;
  /** Fingerprint, face or screen lock of this very device. */
  platform: boolean;
  /** A phone or tablet of Apple's: `standalone` is theirs alone. */
  apple: boolean;
  /** The authenticator app is likely on this device: opening it comes before showing a picture to scan. */
  handheld: boolean;
  webOtp: boolean;
}

// A browser that does not answer must not hold the page back.
const PATIENCE = 300;

const orFalse = (answer: Promise<boolean> | undefined) =>
  Promise.race([answer ?? Promise.resolve(false), new Promise<boolean>((resolve) => setTimeout(resolve, PATIENCE, false))]).catch(() => false);

export async function lookAround(): Promise<Browser> {
  const webauthn = typeof PublicKeyCredential === "function" && isSecureContext;
  const [platform, conditional] = await Promise.all([
    orFalse(webauthn ? PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.() : undefined),
    orFalse(webauthn ? PublicKeyCredential.isConditionalMediationAvailable?.() : undefined),
  ]);
  return {
    webauthn,
    platform,
    conditional,
    apple: "standalone" in navigator && navigator.maxTouchPoints > 1,
    handheld: matchMedia("(pointer: coarse)").matches || matchMedia("(max-width: 37.49rem)").matches,
    webOtp: "OTPCredential" in window,
  };
}

/** Browser and system as a passkey's name: "Chrome, Windows". */
export function describe(userAgent: string): string {
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find([
    [/Edg/, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\/|FxiOS/, "Firefox"],
    [/Chrome\/|CriOS/, "Chrome"],
    [/Safari\//, "Safari"],
  ]);
  const system = find([
    [/iPhone/, "iPhone"],
    [/iPad/, "iPad"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "Mac"],
    [/CrOS/, "ChromeOS"],
    [/Linux/, "Linux"],
  ]);
  return [browser, system].filter(Boolean).join(", ") || "Passkey";
}
