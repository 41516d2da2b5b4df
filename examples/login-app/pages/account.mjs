// Sign-up, password, home.
import { html } from "hono/html";
import { button, field, form, icon, layout, problemBox } from "./layout.mjs";

export const signUpPage = (c, { values = {}, problem, on } = {}) =>
  layout(
    c,
    { title: "Create your account", lead: "It takes a minute. You can make it safer with a second step afterwards." },
    problemBox(problem),
    form(
      { action: "/signup", problem },
      field({ label: "Name", name: "name", autocomplete: "name", maxlength: 60, value: values.name, autofocus: !problem }),
      field({ label: "E-mail address", name: "email", type: "email", autocomplete: "username", maxlength: 254, value: values.email, problem: on === "email" ? problem : undefined }),
      field({ label: "Password", name: "password", type: "password", autocomplete: "new-password", minlength: 10, maxlength: 128, hint: "At least 10 characters. A few random words make a good one.", problem: on === "password" ? problem : undefined }),
      button("Create account"),
    ),
    html`<p class="aside">Have an account already? <a href="/login">Sign in</a></p>`,
  );

export const loginPage = (c, { email, problem } = {}) =>
  layout(
    c,
    { title: "Sign in" },
    problemBox(problem),
    form(
      { action: "/login", problem },
      field({ label: "E-mail address", name: "email", type: "email", autocomplete: "username", value: email, maxlength: 254, autofocus: !email }),
      field({ label: "Password", name: "password", type: "password", autocomplete: "current-password", maxlength: 128, autofocus: Boolean(email), problem }),
      button("Sign in"),
    ),
    html`<p class="aside">New here? <a href="/signup">Create an account</a></p>`,
  );

export const homePage = (c, { on, signedInBy }) =>
  layout(
    c,
    { title: `Hello, ${c.var.user.name}`, wide: true, lead: `You signed in with ${signedInBy}.` },
    html`<section class="card banner ${on ? "safe" : ""}">
      ${icon("shield")}
      <div>
        <h2>${on ? "Two-step verification is on" : "Make your account safer"}</h2>
        <p>${on ? "Nobody gets in with your password alone." : "With two-step verification a stolen password is not enough to get in: a code from your phone is needed too."}</p>
      </div>
      <a class="button ${on ? "secondary" : "primary"}" href="/security">${on ? "Security settings" : "Turn on two-step verification"}</a>
    </section>`,
  );
