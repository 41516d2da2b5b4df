// The second step, after the password.
import { codePage } from "../pages/second-step.mjs";
import { explain, locked } from "../problems.mjs";
import { requireStage } from "../sessions.mjs";
import { text } from "./forms.mjs";
import { credentialOf } from "./passkeys.mjs";

/** The ways this user can give a code, the best first. Messages go only where a code has arrived before. */
export function waysOf(status, user) {
  const can = {
    passkey: status.methods.includes("passkey"),
    totp: status.methods.includes("totp"),
    sms: status.methods.includes("sms") && user.code_phone_confirmed,
    email: status.methods.includes("email") && user.code_email_confirmed,
    recovery_code: status.recoveryCodesRemaining > 0,
  };
  return Object.keys(can).filter((way) => can[way]);
}

export const channelsOf = (status, user) => waysOf(status, user).filter((way) => way === "sms" || way === "email");

/** What a page says that is opened while the codes of the app are not looked at. */
function lockOf(status, way) {
  const wait = way === "totp" && status.lockedUntil ? Math.ceil(status.lockedUntil - Date.now() / 1000) : 0;
  return wait > 0 ? locked(wait) : undefined;
}

export function secondStepRoutes(app, { sessions, candado }) {
  const path = "/login/code";
  app.use(`${path}/*`, requireStage("password"));

  const show = async (c, { by, problem } = {}) => {
    const { user, session } = c.var;
    const status = await candado.status(user.id);
    const ways = waysOf(status, user);
    const way = ways.includes(by) ? by : ways[0];
    const shown = problem ?? lockOf(status, way);
    if (shown?.wait) c.header("Retry-After", String(shown.wait));
    const { challengeId, publicKey } = way === "passkey" ? await candado.passkeyChallenge(user.id) : {};
    session.data.challengeId = challengeId;
    return c.html(codePage(c, { path, ways, by: way, sent: session.data.sent ?? {}, publicKey, problem: shown }), shown?.status ?? 200);
  };

  app.get(path, (c) => show(c, { by: c.req.query("by") }));

  app.post(path, async (c) => {
    const { user } = c.var;
    const fields = await c.req.parseBody();
    const by = text(fields.by);
    try {
      if (!waysOf(await candado.status(user.id), user).includes(by)) return c.redirect(path, 303);
      if (by === "passkey") {
        const { challengeId = "" } = c.var.session.data;
        await candado.verifyPasskey(user.id, { challengeId, credential: credentialOf(fields) });
      } else {
        // Naming the method matters: the code of a recovery message must not sign anybody in.
        await candado.verify(user.id, text(fields.code), { method: by });
      }
    } catch (error) {
      return show(c, { by, problem: explain(error, by) });
    }
    await sessions.begin(c, user.id, "signed-in", { by });
    return c.redirect("/", 303);
  });

  app.post(`${path}/send`, async (c) => {
    const by = (await c.req.parseBody()).by === "sms" ? "sms" : "email";
    const { user, session } = c.var;
    if (!channelsOf(await candado.status(user.id), user).includes(by)) return c.redirect(path, 303);
    try {
      const { destination } = by === "sms" ? await candado.sendSms(user.id) : await candado.sendEmail(user.id);
      session.data.sent = { ...session.data.sent, [by]: destination };
    } catch (error) {
      return show(c, { by, problem: explain(error, by) });
    }
    return c.redirect(`${path}?by=${by}`, 303);
  });
}
