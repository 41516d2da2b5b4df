// The second step on Candado's own page: in the place of every screen, route and form that this application has for it
// otherwise. `HOSTED=1 npm start` begins it so.
import { randomBytes } from "node:crypto";
import { Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";

export function hostedRoutes(app, { store, sessions, candado, appUrl }) {
  const returnUrl = `${appUrl}/mfa/done`;

  /** Sends the browser to the page. What it was sent for stays in this browser's session. */
  const visit = (purpose) => async (c) => {
    const { user, session } = c.var;
    const state = randomBytes(16).toString("base64url");
    session.data.visit = { purpose, state };
    const { url } = await candado.createSession(user.id, { purpose, returnUrl, state, accountName: user.email.slice(0, 64) });
    return c.redirect(url, 303);
  };

  app.get("/login/code", requireStage("password"), visit("verify"));
  app.get("/security", requireStage("signed-in"), visit("manage"));

  app.get("/mfa/done", requireStage("password", "signed-in"), async (c) => {
    const { user, session } = c.var;
    const { code, state } = c.req.query();
    const { visit } = session.data;
    delete session.data.visit;
    // Of this browser's own visit, of its own user, and for what it was sent: else it is somebody else's.
    if (!visit || visit.state !== state) throw new Problem("That did not come from this browser", { status: 400 });
    if (!code) return leave(c, session.stage);
    const { userId, purpose, method } = await candado.getSessionResult(code);
    if (userId !== user.id || purpose !== visit.purpose) throw new Problem("That is not your account", { status: 403 });
    if (purpose === "verify") await sessions.begin(c, user.id, "signed-in", { by: method });
    else store.deleteOtherSessions(user.id, session.id);
    return c.redirect("/", 303);
  });

  /** Without a code: back to the password, or home. */
  const leave = (c, stage) => {
    if (stage === "password") sessions.end(c);
    return c.redirect("/", 303);
  };
}
