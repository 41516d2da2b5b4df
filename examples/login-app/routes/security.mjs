// The security page, and turning two-step verification off.
import { securityPage, turnOffPage } from "../pages/security.mjs";
import { checkPassword } from "../passwords.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text, typedCode } from "./forms.mjs";
import { waysOf } from "./second-step.mjs";

export function securityRoutes(app, { store, candado }) {
  app.use("/security", requireStage("signed-in"));
  app.use("/security/off", requireStage("signed-in"));
  app.use("/security/off/*", requireStage("signed-in"));

  app.get("/security", async (c) => {
    const { user } = c.var;
    const status = await candado.status(user.id);
    const hasApp = status.methods.includes("totp");
    return c.html(securityPage(c, { on: status.mfa_enabled, hasApp, recoveryCodes: status.recovery_codes_remaining, user }));
  });

  const showTurnOff = async (c, { problem, on } = {}) => {
    const { user, session } = c.var;
    const status = await candado.status(user.id);
    if (!status.mfa_enabled) return c.redirect("/security", 303);
    const channels = waysOf(status, user).filter((by) => by === "sms" || by === "email");
    if (problem?.wait) c.header("Retry-After", String(problem.wait));
    return c.html(turnOffPage(c, { channels, sentTo: session.data.sentToTurnOff, problem, on }), problem?.status ?? 200);
  };

  app.get("/security/off", (c) => showTurnOff(c));

  app.post("/security/off/send", async (c) => {
    const { user, session } = c.var;
    const by = (await c.req.parseBody()).by === "sms" ? "sms" : "email";
    try {
      if (!waysOf(await candado.status(user.id), user).includes(by)) return c.redirect("/security/off", 303);
      session.data.sentToTurnOff = (await candado.send(user.id, by)).destination;
    } catch (error) {
      return showTurnOff(c, { problem: explain(error, by) });
    }
    return c.redirect("/security/off", 303);
  });

  app.post("/security/off", async (c) => {
    const { user, session } = c.var;
    const fields = await c.req.parseBody();
    let on = "password";
    try {
      if (!(await checkPassword(user.email, user, text(fields.password)))) throw new Problem("The password is not right");
      on = "code";
      await candado.disable(user.id, typedCode(fields.code));
    } catch (error) {
      return showTurnOff(c, { problem: explain(error), on });
    }
    await candado.contact(user.id, { phone: null, email: null });
    store.setDestination(user.id, "sms", null);
    store.setDestination(user.id, "email", null);
    delete session.data.sentToTurnOff;
    session.data.by = "password";
    session.data.notice = "Two-step verification is off.";
    return c.redirect("/security", 303);
  });
}
