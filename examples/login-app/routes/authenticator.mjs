// Binding an authenticator app: for the first time, on another device, or after the old one was lost.
// And the recovery codes, which go with it.
import { CandadoError } from "candado";
import { movePage, newCodesPage } from "../pages/changes.mjs";
import { authenticatorPage, recoveryCodesPage } from "../pages/security.mjs";
import { explain, Problem } from "../problems.mjs";
import { qrCode } from "../qr.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

export function authenticatorRoutes(app, { store, sessions, candado, change, onScreen }) {
  const binding = requireStage("signed-in", "recovering");

  app.get("/app", binding, async (c) => {
    const enrolment = onScreen.get(c, "enrolment");
    if (enrolment) return c.html(authenticatorPage(c, { enrolment }));
    if (c.var.session.stage === "signed-in") return c.redirect("/security", 303);
    await sessions.begin(c, c.var.user.id, "password", { notice: "That took longer than ten minutes. Please begin again." });
    return c.redirect("/login/lost", 303);
  });

  app.post("/app/start", requireStage("signed-in"), async (c) => {
    const { user } = c.var;
    const { mfaEnabled } = await candado.status(user.id);
    if (mfaEnabled) return c.redirect("/app/move", 303);
    const enrolment = await candado.register(user.id, { accountName: user.email, email: user.email });
    store.setDestination(user.id, "email", user.email);
    onScreen.put(c, "enrolment", enrolment, enrolment.expiresAt * 1000);
    return c.redirect("/app", 303);
  });

  change("/app/move", {
    page: movePage,
    make: async (c, code) => {
      const { user } = c.var;
      const { factors } = await candado.factors(user.id);
      const replaces = factors.some(({ type }) => type === "totp") ? "old" : "nothing";
      const enrolment = replaces === "old" ? await candado.renew(user.id, { code }) : await candado.addFactor(user.id, { accountName: user.email, code });
      onScreen.put(c, "enrolment", { ...enrolment, replaces }, enrolment.expiresAt * 1000);
      return "/app";
    },
  });

  app.get("/app/qr", binding, async (c) => {
    const enrolment = onScreen.get(c, "enrolment");
    const svg = enrolment && (await qrCode(enrolment.qrCodeUrl));
    return svg ? c.body(svg, 200, { "Content-Type": "image/svg+xml" }) : c.notFound();
  });

  app.post("/app/confirm", binding, async (c) => {
    const { user } = c.var;
    const enrolment = onScreen.get(c, "enrolment");
    if (!enrolment) return c.redirect("/app", 303);
    try {
      await candado.verify(user.id, text((await c.req.parseBody()).code), { method: "totp" });
      // While both secrets are good a code of the old one verifies too. The link to the QR code dies
      // with the confirmation of the new one.
      if (enrolment.replaces === "old" && (await qrCode(enrolment.qrCodeUrl))) {
        throw new Problem("That code is from your old device. Please type the one the new device shows");
      }
    } catch (error) {
      const problem = explain(error, "totp");
      if (problem.wait) c.header("Retry-After", String(problem.wait));
      return c.html(authenticatorPage(c, { enrolment, problem }), problem.status);
    }
    onScreen.forget(c, "enrolment");
    if (enrolment.replaces === "lost") await sessions.begin(c, user.id, "signed-in", { by: "totp" });
    // Whoever else had come in so far, perhaps with a stolen password or device, has to come in again.
    store.deleteOtherSessions(user.id, c.var.session.id);
    const { data } = c.var.session;
    if (!enrolment.replaces) return firstRecoveryCodes(c);
    data.notice =
      enrolment.replaces === "lost"
        ? "Your new device is set up, and the lost one no longer works. If your recovery codes were on it, make new ones."
        : enrolment.replaces === "old"
          ? "Your new device is set up, and the old one no longer works."
          : "Your authenticator app is set up.";
    store.saveSession(c.var.session);
    return c.redirect("/security", 303);
  });

  const showCodes = (c, recoveryCodes, first) => onScreen.put(c, "codes", { codes: recoveryCodes, first });

  /** They need no code right after the first one, which the user has just typed. */
  async function firstRecoveryCodes(c) {
    try {
      const { recoveryCodes } = await candado.recoveryCodes(c.var.user.id);
      showCodes(c, recoveryCodes, true);
      return c.redirect("/recovery-codes", 303);
    } catch (error) {
      if (!(error instanceof CandadoError)) throw error;
      console.error(`No recovery codes after an enrolment: ${error.code}`);
      c.var.session.data.notice = "Two-step verification is on. Your recovery codes are still missing.";
      return c.redirect("/recovery-codes/new", 303);
    }
  }

  change("/recovery-codes/new", {
    page: newCodesPage,
    make: async (c, code) => {
      const { recoveryCodes } = await candado.recoveryCodes(c.var.user.id, { code });
      showCodes(c, recoveryCodes, false);
      return "/recovery-codes";
    },
  });

  app.get("/recovery-codes", requireStage("signed-in"), (c) => {
    const shown = onScreen.get(c, "codes");
    return shown ? c.html(recoveryCodesPage(c, shown)) : c.redirect("/security", 303);
  });

  app.post("/recovery-codes/done", requireStage("signed-in"), (c) => {
    const { first } = onScreen.get(c, "codes") ?? {};
    onScreen.forget(c, "codes");
    c.var.session.data.notice = first ? "Two-step verification is on." : "Your new recovery codes are the only ones that work.";
    return c.redirect("/security", 303);
  });

  return firstRecoveryCodes;
}
