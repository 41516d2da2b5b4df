// What is said to readers of the screen, and to everybody for a moment.

/** Long enough to be read, and it stays under the pointer. Milliseconds. */
const TOAST = 6_000;

export class Voice {
  /** Said when the reader has finished what it is saying. */
  polite = "";
  /** Said at once. */
  urgent = "";
  toast: string | null = null;
  private readonly changed: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  say(text: string) {
    this.speak("polite", text);
  }

  interrupt(text: string) {
    this.speak("urgent", text);
  }

  /** A region that holds the same text again says nothing, so it is emptied in between. */
  private speak(region: "polite" | "urgent", text: string) {
    this[region] = "";
    this.changed();
    setTimeout(() => {
      this[region] = text;
      this.changed();
    }, 50);
  }

  show(text: string) {
    this.toast = text;
    this.changed();
    this.resume();
  }

  /** While the pointer or the focus rests on it. */
  hold() {
    clearTimeout(this.timer);
  }

  resume() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.dismiss(), TOAST);
  }

  dismiss() {
    clearTimeout(this.timer);
    this.toast = null;
    this.changed();
  }
}
