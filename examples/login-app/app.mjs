// The application: what holds for every request, and its routes.
import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { secureHeaders } from "hono/secure-headers";
import { OnScreen } from "./on-screen.mjs";
import { errorPage } from "./pages/layout.mjs";
import { explain } from "./problems.mjs";
import { accountRoutes } from "./routes/account.mjs";
import { authenticatorRoutes } from "./routes/authenticator.mjs";
import { changeRoutes } from "./routes/changes.mjs";
import { destinationRoutes } from "./routes/destinations.mjs";
import { hostedRoutes } from "./routes/hosted.mjs";
import { passkeyRoutes } from "./routes/passkeys.mjs";
import { recoveryRoutes } from "./routes/recovery.mjs";
import { secondStepRoutes } from "./routes/second-step.mjs";
import { securityRoutes } from "./routes/security.mjs";
import { Sessions } from "./sessions.mjs";

const none = ["'none'"];
const self = ["'self'"];
// With the second step on Candado's page a form is sent on to there.
const headers = (page) => secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: none,
    scriptSrc: self,
    styleSrc: self,
    imgSrc: self,
    formAction: page ? [...self, page] : self,
    baseUri: none,
    frameAncestors: none,
  },
  // Not no-referrer: with it browsers leave the origin out of forms, which the check against forgery reads.
  referrerPolicy: "same-origin",
  permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
  xFrameOptions: "DENY",
});

const script = "text/javascript; charset=utf-8";
const asset = (name, type) => file(new URL(`public/${name}`, import.meta.url), type);
const file = (url, type) => {
  const content = readFileSync(url);
  return (c) => c.body(content, 200, { "Content-Type": type, "Cache-Control": "no-cache" });
};

function ownRoutes(app, context) {
  context.change = changeRoutes(app, context);
  secondStepRoutes(app, context);
  recoveryRoutes(app, context);
  context.firstRecoveryCodes = authenticatorRoutes(app, context);
  passkeyRoutes(app, context);
  destinationRoutes(app, context);
  securityRoutes(app, context);
}

/** `hosted` is the address of Candado's page, where that takes the place of the application's own screens. */
export function createApp({ store, candado, appUrl, hosted }) {
  const { origin, protocol } = new URL(appUrl);
  const sessions = new Sessions(store, { secure: protocol === "https:" });
  const app = new Hono();

  app.use(headers(hosted));
  app.get("/app.css", asset("app.css", "text/css; charset=utf-8"));
  app.get("/app.js", asset("app.js", script));
  app.get("/passkeys.js", asset("passkeys.js", script));
  app.get("/candado-browser.js", file(new URL(import.meta.resolve("candado/browser")), script));
  app.get("/icon.svg", asset("icon.svg", "image/svg+xml"));

  app.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });
  app.use(csrf({ origin }));
  app.use(bodyLimit({ maxSize: 16 * 1024 }));
  app.use(sessions.load);

  const context = { store, sessions, candado, appUrl: origin, onScreen: new OnScreen() };
  accountRoutes(app, context);
  if (hosted) hostedRoutes(app, context);
  else ownRoutes(app, context);

  app.notFound((c) => c.html(errorPage(c, "This page does not exist", "Perhaps the link is old, or was cut short."), 404));
  app.onError((error, c) => {
    // What Hono's own middleware refuses: a forged or an oversized form.
    if (error.getResponse) return c.html(errorPage(c, "That did not work", "Please go back and send the form again."), error.status);
    try {
      const problem = explain(error);
      return c.html(errorPage(c, "Please try again", `${problem.text}.`), problem.status);
    } catch {
      console.error(error);
      return c.html(errorPage(c, "Something went wrong", "It is our fault, not yours. Please try again."), 500);
    }
  });
  return app;
}
