// A lost device. A recovery code, or the code of a recovery message, goes straight to /mfa/renew, which checks it,
// revokes the lost device and answers the secret of the new one. Nothing else is open until that one is confirmed.
import { lostDevicePage, recoveryCodePage } from "../pages/second-step.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

// What another code looks like does not get here: a code of the lost app must not let its finder bind another.
const forms = {
  recovery_code: { is: /^[\s-]*([0-9a-z][\s-]*){24}$/i, wrong: "A recovery code has 24 letters and digits. Please check it" },
  email: { is: /^\s*(\d[\s-]*){8}$/, wrong: "The code in the message has 8 digits. Please check it" },
};
forms.sms = forms.email;

export function recoveryRoutes(app, { sessions, candado, onScreen }) {
  /** From strong to weak. Messages go only where a code has arrived before. */
  const waysBack = async (user) => {
    const { recoveryCodesRemaining } = await candado.status(user.id);
    const can = { recovery_code: recoveryCodesRemaining > 0, email: user.code_email_confirmed, sms: user.code_phone_confirmed };
    return Object.keys(can).filter((way) => can[way]);
  };

  app.use("/login/lost/*", requireStage("password"));

  app.get("/login/lost", async (c) => c.html(lostDevicePage(c, { ways: await waysBack(c.var.user) })));

  app.post("/login/lost", async (c) => {
    const by = (await c.req.parseBody()).by === "sms" ? "sms" : "email";
    const ways = await waysBack(c.var.user);
    if (!ways.includes(by)) return c.redirect("/login/lost", 303);
    try {
      await candado.recover(c.var.user.id, by);
    } catch (error) {
      const problem = explain(error, by);
      if (problem.wait) c.header("Retry-After", String(problem.wait));
      return c.html(lostDevicePage(c, { ways, problem }), problem.status);
    }
    return c.redirect(`/login/lost/code?by=${by}`, 303);
  });

  app.get("/login/lost/code", async (c) => {
    const by = c.req.query("by");
    const ways = await waysBack(c.var.user);
    return ways.includes(by) ? c.html(recoveryCodePage(c, { by })) : c.redirect("/login/lost", 303);
  });

  app.post("/login/lost/code", async (c) => {
    const { user } = c.var;
    const fields = await c.req.parseBody();
    const [by, code] = [text(fields.by), text(fields.code)];
    if (!Object.hasOwn(forms, by)) return c.redirect("/login/lost", 303);
    let enrolment;
    try {
      if (!forms[by].is.test(code)) throw new Problem(forms[by].wrong);
      // The device may be in other hands: its codes stop working now, not when the new one is confirmed.
      enrolment = await candado.renew(user.id, { code, revokeCurrent: true });
    } catch (error) {
      const problem = explain(error, by === "recovery_code" ? by : "recovery");
      if (problem.wait) c.header("Retry-After", String(problem.wait));
      return c.html(recoveryCodePage(c, { by, problem }), problem.status);
    }
    await sessions.begin(c, user.id, "recovering");
    onScreen.put(c, "enrolment", { ...enrolment, replaces: "lost" }, enrolment.expiresAt * 1000);
    return c.redirect("/app", 303);
  });
}
