// A lost device: a code by message proves the right to set up a new authenticator app, and nothing more.
import { lostDevicePage, recoveryCodePage } from "../pages/second-step.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { typedCode } from "./forms.mjs";

export function recoveryRoutes(app, { sessions, candado }) {
  const channelsOf = (user) => ["email", "sms"].filter((by) => (by === "sms" ? user.code_phone_confirmed : user.code_email_confirmed));

  app.use("/login/lost/*", requireStage("password"));

  app.get("/login/lost", (c) => c.html(lostDevicePage(c, { channels: channelsOf(c.var.user) })));

  app.post("/login/lost", async (c) => {
    const { by } = await c.req.parseBody();
    const channels = channelsOf(c.var.user);
    if (!channels.includes(by)) return c.redirect("/login/lost", 303);
    try {
      await candado.recover(c.var.user.id, by);
    } catch (error) {
      const problem = explain(error, "recovery");
      return c.html(lostDevicePage(c, { channels, problem }), problem.status);
    }
    c.var.session.data.recoveryBy = by;
    return c.redirect("/login/lost/code", 303);
  });

  app.get("/login/lost/code", (c) => {
    const by = c.var.session.data.recoveryBy;
    return by ? c.html(recoveryCodePage(c, { by })) : c.redirect("/login/lost", 303);
  });

  app.post("/login/lost/code", async (c) => {
    const code = typedCode((await c.req.parseBody()).code);
    try {
      if (!/^\d{8}$/.test(code)) throw new Problem("The code in the message has 8 digits");
      const { method } = await candado.verify(c.var.user.id, code);
      if (method !== "recovery") throw new Problem("Please type the code from the message");
    } catch (error) {
      const problem = explain(error, "recovery");
      return c.html(recoveryCodePage(c, { by: c.var.session.data.recoveryBy, problem }), problem.status);
    }
    await sessions.begin(c, c.var.user.id, "recovering");
    return c.redirect("/app", 303);
  });
}
