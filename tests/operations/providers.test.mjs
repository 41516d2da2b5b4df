// The program with providers of one's own: a real mail server, by TLS, and a gateway that verifies signatures.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { makeCertificates } from "../../scripts/lib/postgres.mjs";
import { freePort } from "../../scripts/lib/service.mjs";
import { atEnd, eachLine, endAll, root, start } from "../../scripts/lib/steps.mjs";
import { findCode } from "../../sandbox/code.mjs";
import { folder, startProgram, variables } from "./programs.mjs";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
let certificates;
before(() => {
  certificates = makeCertificates();
});
after(() => endAll());

/** A mail server, and what it took. */
async function mailServer(mode) {
  const script = join(root, "tests/operations/mail_server.py");
  const [certificate, key] = ["server.crt", "server.key"].map((name) => join(certificates, name));
  const child = start(process.env.MAIL_PYTHON, [script, mode, certificate, key], { stdio: ["ignore", "pipe", "pipe"] });
  const letters = [];
  let said = "";
  eachLine(child.stderr, (line) => (said += `${line}\n`));
  const port = await new Promise((resolve, reject) => {
    eachLine(child.stdout, (line) => {
      const { port, ...letter } = JSON.parse(line);
      if (port) resolve(port);
      else letters.push(letter);
    });
    child.ended.then(() => reject(new Error(`the mail server ended:\n${said}`)));
  });
  return { port, letters };
}

/** A gateway that answers with what `answer` says, and keeps what is rightly signed. */
async function gateway(answer = () => 202) {
  const webhook = new Webhook(secret);
  const messages = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const message = webhook.verify(body, request.headers);
    messages.push(message);
    response.writeHead(answer(message)).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/messages`, messages };
}

/** The program with these providers: asks it something as a client with one user. */
async function service(more, { trusts = "ca.pem" } = {}) {
  const port = await freePort();
  const { DATABASE_URL: _, BEHIND_TLS_PROXY: __, ...common } = variables("");
  const env = {
    ...common,
    ENVIRONMENT: "development",
    PUBLIC_URL: `http://localhost:${port}`,
    DATABASE: join(folder("database"), "candado.sqlite"),
    SSL_CERT_FILE: join(certificates, trusts),
    SMS_COUNTRIES: "ES",
    ...more,
  };
  const program = await startProgram(env, port);
  const ask = async (token, path, body) => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`http://localhost:${port}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { ...(await answer.json()), status: answer.status };
  };
  const { client_id, client_secret } = await ask(env.ADMIN_TOKEN, "/admin/clients", { name: "Zoë & Co" });
  const { access_token } = await ask("", "/auth", { client_id, client_secret });
  let users = 0;
  return {
    log: program.log,
    ask: (path, body) => ask(access_token, path, body),
    /** Registers a user with that address and has a code sent there: the answer, and the user. */
    async mail(address) {
      const user_id = `user-${(users += 1)}`;
      await ask(access_token, "/mfa/register", { user_id, email: address, phone: "+34600111222", confirm: false });
      return { user_id, ...(await ask(access_token, "/mfa/email", { user_id })) };
    },
  };
}

const mail = (scheme, port, password = "a password") => ({
  SMTP_URL: `${scheme}://localhost:${port}`,
  SMTP_FROM: "mfa@example.com",
  SMTP_USERNAME: "candado",
  SMTP_PASSWORD: password,
});

/** The plain part of a letter, decoded. */
function plainText({ content }) {
  const part = content.split(/\r?\n--/).find((one) => one.includes("text/plain"));
  const [head, ...body] = part.split(/\r?\n\r?\n/);
  const text = body.join("\n\n");
  if (/base64/i.test(head)) return Buffer.from(text, "base64").toString();
  if (!/quoted-printable/i.test(head)) return text;
  const bytes = text.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

for (const [mode, scheme] of [["tls", "smtps"], ["starttls", "smtp"]]) {
  describe(`a mail server by ${mode}`, () => {
    let server, candado;
    before(async () => {
      server = await mailServer(mode);
      candado = await service(mail(scheme, server.port));
    });

    test("gets a letter by TLS, whose code is good", async () => {
      const { status, user_id } = await candado.mail("ann@example.com");
      assert.equal(status, 200);
      const letter = server.letters.at(-1);
      assert.deepEqual([letter.to, letter.sender, letter.tls, letter.greeted_as], [["ann@example.com"], "mfa@example.com", true, "localhost"]);
      assert.match(letter.content, /^Auto-Submitted: auto-generated\r?$/m);
      assert.match(letter.content, /^Message-ID: <msg_\w+@example\.com>\r?$/m);
      const code = findCode({ text: plainText(letter) });
      assert.equal((await candado.ask("/mfa/verify", { user_id, code })).method, "email");
    });

    for (const [mailbox, status, error, taken] of [
      ["nobody", 502, "delivery_failed", 0],
      ["full", 502, "delivery_failed", 1],
      ["later", 503, "delivery_unavailable", 0],
      ["slow", 503, "delivery_unavailable", 1],
      ["lost", 503, "delivery_unavailable", 1],
    ]) {
      test(`ATK-79: the mailbox "${mailbox}" is ${error}, within the time and once`, async () => {
        const [before, began] = [server.letters.length, Date.now()];
        const answer = await candado.mail(`${mailbox}@example.com`);
        assert.deepEqual([answer.status, answer.error], [status, error]);
        assert.ok(Date.now() - began < 6000);
        assert.equal(server.letters.length - before, taken);
        const said = JSON.stringify(candado.log);
        assert.ok(!said.includes(`${mailbox}@example.com`), "no address is in the log");
      });
    }

    test("with a wrong password gets nothing, and its words are in no answer", async () => {
      const before = server.letters.length;
      const wrong = await service(mail(scheme, server.port, "another"));
      const answer = await wrong.mail("ann@example.com");
      assert.deepEqual([answer.status, answer.error], [502, "delivery_failed"]);
      assert.equal(server.letters.length, before);
    });

    test("whose certificate is of an authority that is not trusted gets nothing", async () => {
      const before = server.letters.length;
      const wary = await service(mail(scheme, server.port), { trusts: "other.pem" });
      const answer = await wary.mail("ann@example.com");
      assert.deepEqual([answer.status, answer.error], [503, "delivery_unavailable"]);
      assert.equal(server.letters.length, before);
    });
  });
}

test("a mail server that offers no TLS is told neither the password nor a code", async () => {
  const server = await mailServer("none");
  for (const scheme of ["smtp", "smtps"]) {
    const candado = await service(mail(scheme, server.port));
    const answer = await candado.mail("ann@example.com");
    assert.deepEqual([answer.status, answer.error], [503, "delivery_unavailable"], scheme);
  }
  assert.deepEqual(server.letters, []);
});

describe("a gateway of one's own", () => {
  test("gets what standardwebhooks verifies, on both channels", async () => {
    const { url, messages } = await gateway();
    const candado = await service({ HOOK_URL: url, HOOK_SECRET: secret });
    const { status, user_id } = await candado.mail("ann@example.com");
    assert.equal(status, 200);
    assert.equal((await candado.ask("/mfa/sms", { user_id, locale: "es" })).status, 200);
    const [email, sms] = messages;
    assert.deepEqual([email.channel, email.destination, email.sender], ["email", "ann@example.com", "Zoë & Co"]);
    assert.match(email.html, new RegExp(email.code));
    assert.deepEqual([sms.channel, sms.destination, sms.locale, sms.purpose], ["sms", "+34600111222", "es", "verify"]);
    assert.equal(findCode(sms), sms.code);
    assert.equal((await candado.ask("/mfa/verify", { user_id, code: sms.code })).method, "sms");
  });

  test("carries what the mail server does not, with the same code", async () => {
    const server = await mailServer("tls");
    const { url, messages } = await gateway();
    const order = { HOOK_URL: url, HOOK_SECRET: secret, EMAIL_PROVIDERS: "smtp,email_hook" };
    const candado = await service({ ...mail("smtps", server.port), ...order });
    for (const [mailbox, taken] of [["nobody", false], ["later", false], ["slow", true], ["lost", true]]) {
      const began = Date.now();
      const { status, user_id } = await candado.mail(`${mailbox}@example.com`);
      assert.equal(status, 200, mailbox);
      assert.ok(Date.now() - began < 5000, mailbox);
      const { code } = messages.at(-1);
      if (taken) assert.equal(findCode({ text: plainText(server.letters.at(-1)) }), code, mailbox);
      assert.equal((await candado.ask("/mfa/verify", { user_id, code })).status, 200);
      const again = await candado.ask("/mfa/verify", { user_id, code });
      assert.equal(again.error, "code_already_used");
    }
    assert.equal(messages.length, 4);
  });
});
