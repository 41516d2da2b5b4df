// Requests the tests send to the sandbox: right ones, with one thing changed at a time.

export const ACCOUNT_SID = `AC${"0a".repeat(16)}`;
export const OTHER_SID = `AC${"0b".repeat(16)}`;
export const AUTH_TOKEN = "a-token";
export const API_KEY = "SG.a-key.of-the-right-form";
export const CREDENTIALS = { twilioAccountSid: ACCOUNT_SID, twilioAuthToken: AUTH_TOKEN, sendgridApiKey: API_KEY, hookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };

export const SMS = { To: "+34600111222", From: "+15017122661", Body: "Acme: 042917 is your code.\n\n@acme.example #042917" };
export const MAIL = {
  personalizations: [{ to: [{ email: "ana@example.com" }] }],
  from: { email: "no-reply@candado.example", name: "Candado" },
  subject: "Your code",
  content: [
    { type: "text/plain", value: "Your code is 718204." },
    { type: "text/html", value: "<p>Your code is <b>718204</b>.</p>" },
  ],
};

export const basic = (username, password) => `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** `fields` changes the form (undefined removes a field); `body` replaces it whole. */
export function sendSms(url, fields = {}, { authorization, sid = ACCOUNT_SID, body, type, signal } = {}) {
  const form = Object.entries({ ...SMS, ...fields }).filter(([, value]) => value !== undefined);
  return fetch(`${url}/2010-04-01/Accounts/${sid}/Messages.json`, {
    method: "POST",
    headers: {
      authorization: authorization ?? basic(ACCOUNT_SID, AUTH_TOKEN),
      "content-type": type ?? "application/x-www-form-urlencoded",
    },
    body: body ?? new URLSearchParams(form).toString(),
    signal,
  });
}

export const HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** A call in the place of an SMS. */
export function makeCall(url, fields) {
  return fetch(`${url}/2010-04-01/Accounts/${ACCOUNT_SID}/Calls.json`, {
    method: "POST",
    headers: { authorization: basic(ACCOUNT_SID, AUTH_TOKEN), "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  });
}

/** `fields` changes the mail (undefined removes a field); `body` replaces it whole. */
export function sendMail(url, fields = {}, { authorization = `Bearer ${API_KEY}`, body, type = "application/json" } = {}) {
  return fetch(`${url}/v3/mail/send`, {
    method: "POST",
    headers: { ...(authorization && { authorization }), ...(type && { "content-type": type }) },
    body: body ?? JSON.stringify({ ...MAIL, ...fields }),
  });
}
