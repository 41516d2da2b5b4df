// Making a passkey: as the first thing that turns two-step verification on, or beside what there is.
import { newPasskeyPage, makePasskeyPage } from "../pages/passkeys.mjs";
import { explain } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

/** What the page's script got from the browser, or nothing it could be. */
export function credentialOf(fields) {
  try {
    return JSON.parse(text(fields.credential));
  } catch {
    return {};
  }
}

export function passkeyRoutes(app, { store, candado, change, firstRecoveryCodes }) {
  const signedIn = requireStage("signed-in");

  /** The challenge stays here: the page gets what the browser needs, and says nothing of which challenge it answers. */
  const begin = async (c, code) => {
    const { user, session } = c.var;
    session.data.newPasskey = await candado.passkeyOptions(user.id, { name: user.email, code });
    return "/passkeys/make";
  };

  app.post("/passkeys/start", signedIn, async (c) => {
    const { mfaEnabled } = await candado.status(c.var.user.id);
    return c.redirect(mfaEnabled ? "/passkeys/new" : await begin(c), 303);
  });

  change("/passkeys/new", { page: newPasskeyPage, make: begin });

  app.get("/passkeys/make", signedIn, (c) => {
    const { newPasskey } = c.var.session.data;
    return newPasskey ? c.html(makePasskeyPage(c, newPasskey)) : c.redirect("/security", 303);
  });

  app.post("/passkeys/make", signedIn, async (c) => {
    const { user, session } = c.var;
    const { newPasskey } = session.data;
    if (!newPasskey) return c.redirect("/security", 303);
    delete session.data.newPasskey;
    const fields = await c.req.parseBody();
    const { mfaEnabled: before } = await candado.status(user.id);
    try {
      const options = { challengeId: newPasskey.challengeId, credential: credentialOf(fields), name: text(fields.name).trim() || undefined };
      await candado.registerPasskey(user.id, options);
    } catch (error) {
      session.data.problem = { ...explain(error, "passkey") };
      return c.redirect("/security", 303);
    }
    store.deleteOtherSessions(user.id, session.id);
    if (!before) return firstRecoveryCodes(c);
    session.data.notice = "Your passkey is ready.";
    return c.redirect("/security", 303);
  });
}
