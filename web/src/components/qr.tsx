// A QR code, always dark on white: readers of inverted ones are rare.
import { useState } from "preact/hooks";
import { usePlain } from "../session/ui.ts";
import type { Message } from "../words/message.ts";

export function QrCode({ image, label, veiled }: { image: string; label: Message; veiled?: boolean }) {
  const say = usePlain();
  const [shown, setShown] = useState(false);
  return (
    <div class={`qr ${shown ? "" : "loading"} ${veiled ? "veiled" : ""}`}>
      <img src={image} alt={say(label)} width={232} height={232} onLoad={() => setShown(true)} />
    </div>
  );
}
