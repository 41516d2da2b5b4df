// The phone number and the e-mail address codes may go to. One counts when a code sent there has come back.
import { destinationPage, removeDestinationPage } from "../pages/changes.mjs";
import { confirmDestinationPage } from "../pages/security.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

const channels = {
  phone: {
    by: "sms",
    name: "phone number",
    stored: (user) => user.code_phone,
    tidy: (value) => value.replace(/[\s().-]/g, "").replace(/^00/, "+"),
    is: /^\+[1-9]\d{6,14}$/,
    wrong: "Write the number with its country code, such as +34 600 111 222",
  },
  email: {
    by: "email",
    name: "e-mail address",
    stored: (user) => user.code_email,
    tidy: (value) => value.trim(),
    is: /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
    wrong: "That does not look like an e-mail address",
  },
};

export function destinationRoutes(app, { store, candado, change }) {
  for (const [channel, { by, name, stored, tidy, is, wrong }] of Object.entries(channels)) {
    const path = `/security/${channel}`;
    const send = (user) => (by === "sms" ? candado.sendSms(user.id) : candado.sendEmail(user.id));

    change(path, {
      page: (c, details) => destinationPage(c, { ...details, channel, value: details.fields.destination ?? stored(c.var.user) ?? undefined }),
      make: async (c, code, fields) => {
        const { user, session } = c.var;
        const destination = tidy(text(fields.destination));
        // Before the code is spent.
        if (!is.test(destination)) throw new Problem(wrong, { on: "destination" });
        await candado.setContact(user.id, { [channel]: destination, code });
        store.setDestination(user.id, by, destination);
        await send(user).catch((error) => (session.data.problem = { ...explain(error, by) }));
        return `${path}/confirm`;
      },
    });

    app.use(`${path}/*`, requireStage("signed-in"), (c, next) => (stored(c.var.user) ? next() : c.redirect(path, 303)));

    change(`${path}/remove`, {
      page: (c, details) => removeDestinationPage(c, { ...details, channel, value: stored(c.var.user) }),
      make: async (c, code) => {
        await candado.setContact(c.var.user.id, { [channel]: null, code });
        store.setDestination(c.var.user.id, by, null);
        c.var.session.data.notice = `Your ${name} is removed.`;
        return "/security";
      },
    });

    const showConfirm = (c, problem) => {
      if (problem?.wait) c.header("Retry-After", String(problem.wait));
      return c.html(confirmDestinationPage(c, { channel, destination: stored(c.var.user), problem }), problem?.status ?? 200);
    };

    app.get(`${path}/confirm`, (c) => {
      const { problem } = c.var.session.data;
      delete c.var.session.data.problem;
      return showConfirm(c, problem);
    });

    app.post(`${path}/send`, async (c) => {
      try {
        await send(c.var.user);
      } catch (error) {
        return showConfirm(c, explain(error, by));
      }
      return c.redirect(`${path}/confirm`, 303);
    });

    app.post(`${path}/confirm`, async (c) => {
      const { user, session } = c.var;
      try {
        await candado.verify(user.id, text((await c.req.parseBody()).code), { method: by });
      } catch (error) {
        return showConfirm(c, explain(error, by));
      }
      store.setDestination(user.id, by, stored(user), true);
      session.data.notice = `Your ${name} is confirmed.`;
      return c.redirect("/security", 303);
    });
  }
}
