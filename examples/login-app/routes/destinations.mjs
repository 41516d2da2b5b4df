// The phone number and the e-mail address codes may go to. One counts when a code sent there has come back.
import { confirmDestinationPage, destinationPage } from "../pages/security.mjs";
import { explain } from "../problems.mjs";
import { requireStage, requireRecentCode } from "../sessions.mjs";
import { text, typedCode } from "./forms.mjs";

const kinds = {
  phone: { by: "sms", stored: (user) => user.code_phone, tidy: (value) => value.replace(/[\s().-]/g, "").replace(/^00/, "+") },
  email: { by: "email", stored: (user) => user.code_email, tidy: (value) => value },
};

export function destinationRoutes(app, { store, candado }) {
  for (const [channel, { by, stored, tidy }] of Object.entries(kinds)) {
    const path = `/security/${channel}`;
    const whenOn = async (c, next) => {
      const { mfa_enabled: on } = await candado.status(c.var.user.id);
      return on ? next() : c.redirect("/security", 303);
    };

    app.use(path, requireStage("signed-in"), whenOn, requireRecentCode);
    app.use(`${path}/*`, requireStage("signed-in"), whenOn);

    app.get(path, (c) => c.html(destinationPage(c, { channel, value: stored(c.var.user) ?? undefined })));

    app.post(path, async (c) => {
      const { user } = c.var;
      const value = text((await c.req.parseBody()).destination).trim();
      const destination = tidy(value);
      try {
        await candado.contact(user.id, { [channel]: destination });
        store.setDestination(user.id, by, destination);
        await candado.send(user.id, by);
      } catch (error) {
        const problem = explain(error, by);
        return c.html(destinationPage(c, { channel, value, problem }), problem.status);
      }
      return c.redirect(`${path}/confirm`, 303);
    });

    app.get(`${path}/confirm`, (c) => {
      const destination = stored(c.var.user);
      return destination ? c.html(confirmDestinationPage(c, { channel, destination })) : c.redirect(path, 303);
    });

    const again = (c, problem) => {
      if (problem.wait) c.header("Retry-After", String(problem.wait));
      return c.html(confirmDestinationPage(c, { channel, destination: stored(c.var.user), problem }), problem.status);
    };

    app.post(`${path}/send`, requireRecentCode, async (c) => {
      try {
        await candado.send(c.var.user.id, by);
      } catch (error) {
        return again(c, explain(error, by));
      }
      return c.redirect(`${path}/confirm`, 303);
    });

    app.post(`${path}/confirm`, async (c) => {
      const { user, session } = c.var;
      try {
        await candado.verify(user.id, typedCode((await c.req.parseBody()).code), by);
      } catch (error) {
        return again(c, explain(error, by));
      }
      store.setDestination(user.id, by, stored(user), true);
      session.data.notice = channel === "phone" ? "Your phone number is confirmed." : "Your e-mail address is confirmed.";
      return c.redirect("/security", 303);
    });

    app.post(`${path}/remove`, requireRecentCode, async (c) => {
      await candado.contact(c.var.user.id, { [channel]: null });
      store.setDestination(c.var.user.id, by, null);
      c.var.session.data.notice = channel === "phone" ? "Your phone number is removed." : "Your e-mail address is removed.";
      return c.redirect("/security", 303);
    });
  }
}
