// <candado-mfa session="<id>.<secret>">: the hosted page inside a page of the application, without header and foot.
// web/README.md says when that is safe: the page around it can read whatever is typed into it.
import { render } from "preact";
import tokens from "../look/tokens.css?inline";
import page from "../look/page.css?inline";
import controls from "../look/controls.css?inline";
import parts from "../look/parts.css?inline";
import { App } from "../session/app.tsx";
import { lookAround } from "../session/browser.ts";
import { entranceOf, isReturn } from "../session/fragment.ts";
import { ListRouter } from "../session/router.ts";
import { Session } from "../session/store.ts";

// As an object rather than an element: the policy of the page around it needs no exception.
const sheet = new CSSStyleSheet();
sheet.replaceSync(tokens + page + controls + parts);

/**
 * Attributes: `session`, what stands behind `#` in the session's `url`; `base`, the path under which the application's
 * own server hands `/session/…` on to the service (default: none).
 * Event: `candado-leave`, cancelable, with `{ redirect }` in `detail`: the return address with `code` or `error`.
 * Unless it is prevented, the browser goes there.
 */
export class CandadoMfa extends HTMLElement {
  private started = false;

  async connectedCallback() {
    if (this.started) return;
    this.started = true;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const entrance = entranceOf(this.getAttribute("session") ?? "");
    // What was read needs to stay no longer in the document.
    this.removeAttribute("session");
    const sessionId = entrance.kind === "open" || entrance.kind === "known" ? entrance.sessionId : null;
    const session = new Session({ base: this.base, sessionId }, await lookAround());
    render(<App session={session} router={new ListRouter()} embedded leave={(redirect) => this.leave(session, redirect)} />, root);
    if (entrance.kind === "open") await session.open(entrance.secret);
    else if (entrance.kind === "known") await session.reopen();
    else session.end("incomplete");
  }

  /** A path of this very origin: another one would get the secret. */
  private get base(): string {
    const base = (this.getAttribute("base") ?? "").replace(/\/+$/, "");
    return base === "" || /^\/[\w~-][\w/~.-]*$/.test(base) ? base : "";
  }

  private leave(session: Session, redirect: string) {
    const host = session.view?.return_host;
    if (!host || !isReturn(redirect, host)) return session.end("incomplete");
    const event = new CustomEvent("candado-leave", { detail: { redirect }, cancelable: true, bubbles: true, composed: true });
    if (this.dispatchEvent(event)) location.assign(redirect);
  }
}

customElements.define("candado-mfa", CandadoMfa);
