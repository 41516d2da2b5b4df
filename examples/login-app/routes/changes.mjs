// A change that takes something from a user comes with a code. It goes to Candado in the request that makes the
// change, which checks it, spends it and makes the change in one step: nothing comes in between, and a code proves one
// change. That is what a client with the setting require_step_up insists on, and it is right for every other.
import { explain } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";
import { channelsOf } from "./second-step.mjs";

export function changeRoutes(app, { candado }) {
  const signedIn = requireStage("signed-in");
  /** Where a code for a change can be asked for. */
  const paths = new Set();

  /** Middleware: there is something to change only while two-step verification is on. */
  const whenOn = async (c, next) => {
    c.set("status", await candado.status(c.var.user.id));
    return c.var.status.mfaEnabled ? next() : c.redirect("/security", 303);
  };

  app.post("/security/code", signedIn, whenOn, async (c) => {
    const { user, session, status } = c.var;
    const { by, back } = await c.req.parseBody();
    if (!paths.has(back)) return c.redirect("/security", 303);
    if (!channelsOf(status, user).includes(by)) return c.redirect(back, 303);
    try {
      const { destination } = by === "sms" ? await candado.sendSms(user.id) : await candado.sendEmail(user.id);
      session.data.sentForChange = destination;
    } catch (error) {
      session.data.problem = { ...explain(error, by) };
    }
    return c.redirect(back, 303);
  });

  /**
   * A page and what its form does: `page(c, details)` draws it, `make(c, code, fields)` makes the change and answers
   * where to go.
   */
  return function change(path, { page, make }) {
    paths.add(path);
    const show = (c, problem, fields = {}) => {
      const { user, session, status } = c.var;
      const proof = { channels: channelsOf(status, user), sentTo: session.data.sentForChange };
      if (problem?.wait) c.header("Retry-After", String(problem.wait));
      return c.html(page(c, { path, proof, problem, fields }), problem?.status ?? 200);
    };

    app.get(path, signedIn, whenOn, (c) => {
      const { problem } = c.var.session.data;
      delete c.var.session.data.problem;
      return show(c, problem);
    });

    app.post(path, signedIn, whenOn, async (c) => {
      const fields = await c.req.parseBody();
      try {
        const to = await make(c, text(fields.code), fields);
        delete c.var.session.data.sentForChange;
        return c.redirect(to, 303);
      } catch (error) {
        return show(c, explain(error), fields);
      }
    });
  };
}
