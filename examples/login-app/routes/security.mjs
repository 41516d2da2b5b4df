// The security page, and turning two-step verification off.
import { turnOffPage } from "../pages/changes.mjs";
import { securityPage } from "../pages/security.mjs";
import { checkPassword } from "../passwords.mjs";
import { Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

export function securityRoutes(app, { store, candado, change }) {
  app.get("/security", requireStage("signed-in"), async (c) => {
    const { user, session } = c.var;
    const { mfaEnabled: on, methods, recoveryCodesRemaining: recoveryCodes } = await candado.status(user.id);
    const passkeys = on ? (await candado.factors(user.id)).factors.filter(({ type }) => type === "passkey") : [];
    const { problem } = session.data;
    delete session.data.problem;
    return c.html(securityPage(c, { on, hasApp: methods.includes("totp"), passkeys, recoveryCodes, user, problem }));
  });

  change("/security/off", {
    page: turnOffPage,
    make: async (c, code, fields) => {
      const { user, session } = c.var;
      const right = await checkPassword(store, user.email, user, text(fields.password));
      if (!right) throw new Problem("The password is not right", { on: "password" });
      await candado.disable(user.id, { code });
      await candado.setContact(user.id, { phone: null, email: null });
      store.setDestination(user.id, "sms", null);
      store.setDestination(user.id, "email", null);
      session.data.by = "password";
      session.data.notice = "Two-step verification is off.";
      return "/security";
    },
  });
}
