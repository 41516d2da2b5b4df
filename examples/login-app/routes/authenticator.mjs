// Binding an authenticator app: for the first time, on another device, or after the old one was lost.
// And the recovery codes, which go with it.
import { authenticatorPage, rebindPage, recoveryCodesPage } from "../pages/security.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage, requireRecentCode } from "../sessions.mjs";
import { typedCode } from "./forms.mjs";
import { withLock } from "./second-step.mjs";

export function authenticatorRoutes(app, { store, sessions, candado, onScreen }) {
  const binding = requireStage("signed-in", "recovering");

  /** What is shown to this session, if it still is; forgets what nobody looks at any more. */
  const shown = (c, kind) => {
    for (const [key, { until }] of onScreen) if (until < Date.now()) onScreen.delete(key);
    return onScreen.get(`${kind} ${c.var.session.id}`);
  };
  const showLater = (c, kind, value) => onScreen.set(`${kind} ${c.var.session.id}`, { until: Date.now() + 600_000, ...value });
  const forget = (c, kind) => onScreen.delete(`${kind} ${c.var.session.id}`);

  const newRecoveryCodes = async (c, first) => {
    const { recovery_codes: codes } = await candado.recoveryCodes(c.var.user.id);
    showLater(c, "codes", { codes, first });
    return c.redirect("/recovery-codes", 303);
  };

  app.get("/app", binding, (c) => {
    const enrolment = shown(c, "enrolment");
    if (enrolment) return c.html(authenticatorPage(c, { enrolment }));
    return c.var.session.stage === "recovering" ? c.html(rebindPage(c)) : c.redirect("/security", 303);
  });

  app.post("/app/start", binding, async (c) => {
    const { user, session } = c.var;
    const recovering = session.stage === "recovering";
    const { mfa_enabled: on } = await candado.status(user.id);
    if (recovering && !on) return c.redirect("/login", 303);
    if (on && !recovering) {
      const refused = await requireRecentCode(c, () => {});
      if (refused) return refused;
    }
    const enrolled = on
      ? // A device that is lost may be in other hands: its codes stop working now, not when the new one is confirmed.
        await candado.renew(user.id, { revokeCurrent: recovering })
      : await candado.register(user.id, { accountName: user.email, email: user.email });
    if (!on) store.setDestination(user.id, "email", user.email);
    showLater(c, "enrolment", {
      renewing: recovering ? "recovering" : on,
      qrCodeUrl: enrolled.qr_code_url,
      otpauthUrl: enrolled.otpauth_url,
      secret: enrolled.secret,
      until: enrolled.expires_at * 1000,
    });
    return c.redirect("/app", 303);
  });

  app.get("/app/qr", binding, async (c) => {
    const enrolment = shown(c, "enrolment");
    const svg = enrolment && (await candado.qrCode(enrolment.qrCodeUrl));
    return svg ? c.body(svg, 200, { "Content-Type": "image/svg+xml" }) : c.notFound();
  });

  app.post("/app/confirm", binding, async (c) => {
    const { user, session } = c.var;
    const enrolment = shown(c, "enrolment");
    if (!enrolment) return c.redirect("/app", 303);
    try {
      await candado.verify(user.id, typedCode((await c.req.parseBody()).code), "totp");
      // While both secrets are good a code of the old one verifies too. The link to the QR code dies
      // with the confirmation of the new one.
      if (enrolment.renewing && (await candado.qrCode(enrolment.qrCodeUrl))) {
        throw new Problem("That code is from your old device. Please type the one the new device shows");
      }
    } catch (error) {
      const problem = await withLock(explain(error, "totp"), candado, user.id, "totp");
      if (problem.wait) c.header("Retry-After", String(problem.wait));
      return c.html(authenticatorPage(c, { enrolment, problem }), problem.status);
    }
    forget(c, "enrolment");
    if (session.stage === "recovering") {
      await sessions.begin(c, user.id, "signed-in", { by: "totp" });
    }
    // Whoever else had come in so far, perhaps with a stolen password or device, has to come in again.
    store.deleteOtherSessions(user.id, c.var.session.id);
    c.var.session.data.codeAt = Date.now();
    if (enrolment.renewing === true) {
      session.data.notice = "Your new device is set up, and the old one no longer works.";
      return c.redirect("/security", 303);
    }
    store.saveSession(c.var.session);
    return newRecoveryCodes(c, !enrolment.renewing);
  });

  app.post("/recovery-codes", requireStage("signed-in"), requireRecentCode, (c) => newRecoveryCodes(c, false));

  app.get("/recovery-codes", requireStage("signed-in"), (c) => {
    const codes = shown(c, "codes");
    return codes ? c.html(recoveryCodesPage(c, codes)) : c.redirect("/security", 303);
  });

  app.post("/recovery-codes/done", requireStage("signed-in"), (c) => {
    const { first } = shown(c, "codes") ?? {};
    forget(c, "codes");
    c.var.session.data.notice = first ? "Two-step verification is on." : "Your new recovery codes are the only ones that work.";
    return c.redirect("/security", 303);
  });
}
