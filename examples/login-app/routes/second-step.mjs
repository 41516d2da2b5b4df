// The second step: after the password, and again before a change that matters.
import { codePage } from "../pages/second-step.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text, typedCode } from "./forms.mjs";

/** The ways this user can give a code, the best first. Messages go only where a code has arrived before. */
export function waysOf(status, user) {
  const can = {
    totp: status.methods.includes("totp"),
    sms: status.methods.includes("sms") && user.code_phone_confirmed,
    email: status.methods.includes("email") && user.code_email_confirmed,
    recovery_code: status.recovery_codes_remaining > 0,
  };
  return Object.keys(can).filter((way) => can[way]);
}

/** The wrong code that locks tells no time, and a page opened during a lock had no answer to tell it. */
export async function withLock(problem, candado, userId, by) {
  if (by === "recovery_code" || problem?.wait) return problem;
  const { locked_until: until } = await candado.status(userId);
  const wait = until ? Math.ceil(until - Date.now() / 1000) : 0;
  return wait > 0 ? new Problem("Too many wrong codes. For your safety you can try again in", { status: 429, wait, locked: true }) : problem;
}

export function secondStepRoutes(app, { sessions, candado }) {
  const show = async (c, page, { by, problem } = {}) => {
    const { user, session } = c.var;
    const ways = waysOf(await candado.status(user.id), user);
    const way = ways.includes(by) ? by : ways[0];
    const sentTo = session.data.sent?.[way];
    const shown = await withLock(problem, candado, user.id, way);
    if (shown?.wait) c.header("Retry-After", String(shown.wait));
    return c.html(codePage(c, { ...page, ways, by: way, sentTo, problem: shown }), shown?.status ?? 200);
  };

  const page = (details, stage, done) => {
    const { path } = details;
    app.get(path, requireStage(stage), (c) => show(c, details, { by: c.req.query("by") }));

    app.post(path, requireStage(stage), async (c) => {
      const fields = await c.req.parseBody();
      const by = text(fields.by);
      try {
        if (!waysOf(await candado.status(c.var.user.id), c.var.user).includes(by)) return c.redirect(path, 303);
        // Naming the method matters: a code to recover with must not sign anybody in.
        await candado.verify(c.var.user.id, typedCode(fields.code), by);
      } catch (error) {
        return show(c, details, { by, problem: explain(error, by) });
      }
      return done(c, by);
    });

    app.post(`${path}/send`, requireStage(stage), async (c) => {
      const by = (await c.req.parseBody()).by === "sms" ? "sms" : "email";
      const { user, session } = c.var;
      if (!waysOf(await candado.status(user.id), user).includes(by)) return c.redirect(path, 303);
      try {
        const { destination } = await candado.send(user.id, by);
        session.data.sent = { ...session.data.sent, [by]: destination };
      } catch (error) {
        return show(c, details, { by, problem: explain(error, by) });
      }
      return c.redirect(`${path}?by=${by}`, 303);
    });
  };

  page({ path: "/login/code", title: "Confirm it is you", lostDevice: true }, "password", async (c, by) => {
    await sessions.begin(c, c.var.user.id, "signed-in", { by, codeAt: Date.now() });
    return c.redirect("/", 303);
  });

  page({ path: "/confirm", title: "Confirm it is you" }, "signed-in", (c) => {
    const { data } = c.var.session;
    const to = data.returnTo ?? "/security";
    delete data.returnTo;
    delete data.sent;
    data.codeAt = Date.now();
    if (to === "/security") data.notice = "Thank you. You can make changes now.";
    return c.redirect(to, 303);
  });
}
