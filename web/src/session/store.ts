// The session as this page knows it: the service's last word (`view`), how it ended, and what is being said to the
// person. Everything that is asked of the service goes through `send`.
import { speechOf, type Speech } from "../words/words.ts";
import type { Browser } from "./browser.ts";
import { call, Failure, type Address, type Request } from "./client.ts";
import { Voice } from "./voice.ts";
import type { Leaving, LinkView, SessionView, Surroundings, UnixTime } from "./protocol.ts";

export type EndKind = "expired" | "ended" | "otherBrowser" | "incomplete" | "cookie" | "noWay";

export interface Ending {
  kind: EndKind;
  surroundings: Surroundings | null;
  redirect: string | null;
}

/** What is asked for, without what `send` adds. */
export type Wish = Pick<Request, "method" | "path" | "body">;

const endings: Record<string, EndKind> = {
  session_expired: "expired",
  session_ended: "ended",
  other_browser: "otherBrowser",
  session_not_found: "incomplete",
};

/** A press keeps the page open, but asks the service no more often than that. Seconds. */
const KEEP_OPEN_EVERY = 60;
/** Between two looks at the service while it is out of reach. Milliseconds. */
const PAUSE = 2_000;
/** How long the service may hold back its answer until something has changed. Seconds. */
const WAIT = 20;

export class Session {
  view: SessionView | null = null;
  link: LinkView | null = null;
  ending: Ending | null = null;
  /** Where the browser is being sent, once it is over. */
  leaving: string | null = null;
  online = navigator.onLine;
  readonly voice = new Voice(() => this.changed());
  readonly browser: Browser;
  readonly hostname = location.hostname;
  /** Opened by its link, not found again by a reload. */
  fresh = false;
  /** What waits for a fresh proof of the person. */
  wanted: (() => Promise<unknown>) | null = null;
  onChange = () => {};

  private readonly address: Address;
  private chosenLanguage: string | null = null;
  private offset = 0;
  private contact = 0;
  /** Requests are numbered, so that an answer that was overtaken changes nothing. */
  private asked = 0;
  private applied = 0;
  private doubt: { wish: string; key: string } | null = null;
  private openedHere = false;
  private closing: ReturnType<typeof setTimeout> | undefined;

  constructor(address: Address, browser: Browser) {
    this.address = address;
    this.browser = browser;
    addEventListener("online", () => this.setOnline(true));
    addEventListener("offline", () => this.setOnline(false));
    // What was done in another tab shows in this one when it is looked at; so does what happened while it slept.
    const look = () => document.visibilityState === "visible" && this.view && void this.refresh().catch(() => {});
    document.addEventListener("visibilitychange", look);
    addEventListener("pageshow", (event) => event.persisted && look());
  }

  changed() {
    this.onChange();
  }

  /** Where the page belongs, as far as it is known. */
  get surroundings(): Surroundings | null {
    return this.view ?? this.link ?? this.ending?.surroundings ?? null;
  }

  get speech(): Speech {
    return speechOf([this.chosenLanguage, this.surroundings?.locale ?? null], navigator.languages);
  }

  /** The service's time. The browser's clock may be wrong, but it goes on while the computer sleeps. */
  now(): UnixTime {
    return Date.now() / 1000 + this.offset;
  }

  async open(secret: string) {
    this.openedHere = true;
    this.fresh = true;
    await this.begin({ method: "POST", path: "/open", body: { secret } });
  }

  async reopen() {
    await this.begin({ method: "GET", path: "/state" });
  }

  /** Looks at the link of an e-mail. It changes nothing. */
  async lookAtLink(secret: string) {
    await this.begin({ method: "POST", path: "/link", body: { secret } });
  }

  /** Spends a recovery link; from then on this is its session. */
  async followLink(secret: string, signal: AbortSignal) {
    const view = await this.send({ method: "POST", path: "/link/continue", body: { secret } }, signal);
    this.address.sessionId = view.session_id;
    return view.session_id;
  }

  async stopLink(secret: string, signal: AbortSignal) {
    await this.send<LinkView>({ method: "POST", path: "/link/stop", body: { secret } }, signal);
  }

  private async begin(wish: Wish) {
    if (!navigator.cookieEnabled) return this.end("cookie");
    try {
      await this.send(wish);
    } catch (failure) {
      if (!this.ending) this.end("noWay", failure as Failure);
    }
  }

  /**
   * Asks for something and shows the state after it. Throws a Failure, which the caller tells. Without a connection it
   * waits for one, unless `signal` ends the waiting; what was sent is not called back.
   */
  async send<Answer = SessionView>(wish: Wish, signal?: AbortSignal): Promise<Answer> {
    const text = JSON.stringify(wish);
    let key = crypto.randomUUID() as string;
    if (this.doubt && wish.method !== "GET") {
      // Nobody knows what became of the last request. First look, so that no try is spent twice.
      const { stage } = this.view!;
      const same = this.doubt.wish === text;
      if (same) key = this.doubt.key;
      await this.refresh();
      this.doubt = null;
      if (this.view?.stage !== stage) throw new Failure("moved");
    }
    for (;;) {
      try {
        return await this.once<Answer>({ ...wish, ...(wish.method !== "GET" && { key }) });
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        if (failure.code === "offline") {
          this.setOnline(false);
          await this.untilOnline(signal);
          continue;
        }
        if (failure.uncertain && wish.method !== "GET" && this.view) this.doubt = { wish: text, key };
        throw failure;
      }
    }
  }

  private async once<Answer>(request: Request): Promise<Answer> {
    const number = ++this.asked;
    try {
      const answer = await call<Answer>(this.address, request);
      this.take(answer as Partial<SessionView>, number);
      return answer;
    } catch (failure) {
      if (failure instanceof Failure) {
        const { view } = failure.body;
        if (view) this.take(view, number);
        const kind = endings[failure.code];
        if (kind) this.end(kind, failure);
      }
      throw failure;
    }
  }

  private take(answer: Partial<SessionView> | LinkView, number: number) {
    if (answer.server_time === undefined) return;
    this.online = true;
    this.contact = Date.now();
    this.offset = answer.server_time - this.contact / 1000;
    if ("kind" in answer) this.link = answer;
    if (!("revision" in answer) || number < this.applied) return this.changed();
    this.applied = number;
    // A second answer shows that the cookie came back.
    if (this.view) this.openedHere = false;
    this.view = answer as SessionView;
    clearTimeout(this.closing);
    this.closing = setTimeout(() => void this.close(), (this.view.expires_at - this.now()) * 1000 + 500);
    this.changed();
  }

  /** Its time is over, unless another tab kept it open. */
  private async close() {
    await this.refresh().catch(() => this.ending ?? this.end("expired"));
  }

  /** Asks for the state. */
  refresh(): Promise<SessionView> {
    return this.once({ method: "GET", path: "/state" });
  }

  /** Waits for what happens elsewhere, on a phone, until `signal` ends it. */
  async watch(signal: AbortSignal) {
    while (!signal.aborted && this.view && !this.ending) {
      const path = `/state?since=${encodeURIComponent(this.view.revision)}&wait=${WAIT}`;
      await this.once({ method: "GET", path, wait: WAIT * 1000, signal }).catch(() => new Promise((resolve) => setTimeout(resolve, PAUSE)));
    }
  }

  /** Any press keeps the page open. */
  pressed() {
    if (this.view && !this.ending && Date.now() - this.contact > KEEP_OPEN_EVERY * 1000) this.keepOpen();
  }

  keepOpen() {
    // One at a time: until it is answered, no other press asks again.
    this.contact = Date.now();
    this.send({ method: "POST", path: "/keep-open" }).catch(() => {});
  }

  speak(language: string) {
    this.chosenLanguage = language;
    this.changed();
    if (this.view && !this.ending) this.send({ method: "POST", path: "/locale", body: { locale: language } }).catch(() => {});
  }

  /** Ends the session, well (`finish`) or not (`cancel`), and learns where to go. */
  async leave(how: "finish" | "cancel") {
    const { redirect } = await this.send<Leaving>({ method: "POST", path: `/${how}` });
    this.leaving = redirect;
    this.changed();
  }

  end(kind: EndKind, failure?: Failure) {
    clearTimeout(this.closing);
    this.leaving = null;
    const ended = failure?.body.ended;
    // A browser that has just opened the session and is taken for another one keeps no cookies.
    const cookieless = failure !== undefined && this.openedHere && this.view !== null && (kind === "otherBrowser" || kind === "incomplete");
    this.ending = {
      kind: cookieless ? "cookie" : kind,
      surroundings: ended ?? this.surroundings,
      redirect: ended?.redirect ?? null,
    };
    this.changed();
  }

  private setOnline(online: boolean) {
    if (this.online === online) return;
    this.online = online;
    this.changed();
  }

  private untilOnline(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Failure("aborted"));
      addEventListener("online", () => resolve(), { once: true });
      signal?.addEventListener("abort", () => reject(new Failure("aborted")), { once: true });
    });
  }
}
