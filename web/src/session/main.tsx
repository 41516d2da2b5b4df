// The hosted page: reads what stands in the address, takes the secret out of it at once, and shows the session.
import { render } from "preact";
import "../look/tokens.css";
import "../look/page.css";
import "../look/controls.css";
import "../look/parts.css";
import { App } from "./app.tsx";
import { lookAround } from "./browser.ts";
import { entranceOf, isReturn } from "./fragment.ts";
import { HistoryRouter } from "./router.ts";
import { Session } from "./store.ts";

const entrance = entranceOf(location.hash);
const browser = await lookAround();
const root = document.getElementById("root")!;

/** The secret leaves the address, and with it the history. */
const rename = (sessionId: string) => history.replaceState(history.state, "", `#${sessionId}`);

function leave(session: Session, redirect: string) {
  const host = session.view?.return_host;
  if (host && isReturn(redirect, host)) location.replace(redirect);
  else session.end("incomplete");
}

function show(session: Session, sessionId: string, link?: { secret: string }) {
  const onFollowed = (followed: string) => {
    rename(followed);
    show(session, followed);
  };
  render(
    <App
      session={session}
      router={new HistoryRouter(sessionId)}
      embedded={false}
      leave={(redirect) => leave(session, redirect)}
      {...(link && { link: { ...link, onFollowed } })}
    />,
    root,
  );
}

// Another link pasted into the same tab is another session.
addEventListener("hashchange", () => {
  const next = entranceOf(location.hash);
  if (next.kind === "open" || next.kind === "link") location.reload();
});

const sessionId = "sessionId" in entrance ? entrance.sessionId : null;
const session = new Session({ base: "", sessionId }, browser);
root.replaceChildren();
show(session, sessionId ?? "", entrance.kind === "link" ? { secret: entrance.secret } : undefined);
if (entrance.kind === "open") {
  await session.open(entrance.secret);
  // Where the service was out of reach the secret is still good, and trying again needs it.
  if (session.ending?.kind !== "noWay") rename(entrance.sessionId);
} else if (entrance.kind === "known") {
  await session.reopen();
} else if (entrance.kind === "link") {
  await session.lookAtLink(entrance.secret);
} else {
  session.end("incomplete");
}
