// Sign-up, password, home and signing out. With the right password comes the question whether there is a second step.
import { homePage, loginPage, signUpPage } from "../pages/account.mjs";
import { checkPassword, hashPassword } from "../passwords.mjs";
import { explain, Problem } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";

const signedInBy = {
  password: "your password",
  totp: "your password and your authenticator app",
  passkey: "your password and your passkey",
  sms: "your password and a text message",
  email: "your password and an e-mail",
  recovery_code: "your password and a recovery code",
};

export function accountRoutes(app, { store, sessions, candado }) {
  app.get("/", requireStage("signed-in"), async (c) => {
    const { mfaEnabled: on } = await candado.status(c.var.user.id);
    return c.html(homePage(c, { on, signedInBy: signedInBy[c.var.session.data.by] }));
  });

  app.get("/signup", (c) => (c.var.session ? c.redirect("/", 303) : c.html(signUpPage(c))));

  app.post("/signup", async (c) => {
    const fields = await c.req.parseBody();
    const values = { name: text(fields.name).trim(), email: text(fields.email).trim() };
    const password = text(fields.password);
    const refuse = (problem, on) => c.html(signUpPage(c, { values, problem: new Problem(problem), on }), 422);
    if (!values.name || values.name.length > 60) return refuse("Please tell us your name");
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email) || values.email.length > 254) return refuse("That does not look like an e-mail address", "email");
    if (password.length < 10 || password.length > 128) return refuse("A password has at least 10 characters", "password");
    const user = store.addUser({ ...values, password: await hashPassword(password) });
    if (!user) return refuse("There is an account with that address already. Sign in instead", "email");
    await sessions.begin(c, user.id, "signed-in", { by: "password", notice: "Your account is ready." });
    return c.redirect("/", 303);
  });

  app.get("/login", (c) => (c.var.session ? c.redirect("/", 303) : c.html(loginPage(c))));

  app.post("/login", async (c) => {
    const fields = await c.req.parseBody();
    const [email, password] = [text(fields.email).trim(), text(fields.password)];
    const user = store.userByEmail(email);
    try {
      if (!(await checkPassword(store, email, user, password))) throw new Problem("The address or the password is not right", { status: 401 });
      // If Candado cannot say whether there is a second step, nobody gets in without it.
      const { mfaEnabled: on } = await candado.status(user.id);
      await (on ? sessions.begin(c, user.id, "password") : sessions.begin(c, user.id, "signed-in", { by: "password" }));
    } catch (error) {
      const problem = explain(error);
      return c.html(loginPage(c, { email, problem }), problem.status);
    }
    return c.redirect("/", 303);
  });

  app.post("/logout", (c) => {
    sessions.end(c);
    return c.redirect("/login", 303);
  });
}
