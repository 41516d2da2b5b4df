// What SendGrid finds wrong with the body of a mail, in its words: `{message, field, help}` each.

const HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#";
// ASCII only: SendGrid takes neither a Unicode local part nor an undotted domain.
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$/;
const RECIPIENT_LIMIT = 1000;

const OBJECT_WITH_EMAIL =
  'e.g. {"email" : "example@example.com"}  or {"email" : "example@example.com", "name" : "Example Recipient"}.';
const ANCHORS = { personalizations: "-Personalizations-Errors", "from.email": "message.from" };

/** Everything wrong with the body's shape at once; the subject and the content's order only after. */
export function problemsOf(mail) {
  const errors = shapeErrors(mail);
  return errors.length > 0 ? errors : contentErrors(mail);
}

function shapeErrors(mail) {
  return [
    ...fromErrors(mail.from),
    ...personalizationErrors(mail.personalizations),
    ...contentShapeErrors(mail),
    ...(mail.subject === undefined ? [] : wrongType(mail.subject, "string", "subject")),
    ...sandboxErrors(mail.mail_settings),
  ];
}

function fromErrors(from) {
  const missing =
    "The from object must be provided for every email send. It is an object that requires the email parameter, " +
    `but may also contain a name parameter.  ${OBJECT_WITH_EMAIL}`;
  if (from === undefined || from === null) return [problem(missing, "from.email")];
  if (!isObject(from)) return wrongType(from, "object", "from");
  if (from.email === undefined || from.email === "") return [problem(missing, "from.email")];
  if (typeof from.email !== "string") return wrongType(from.email, "string", "from.email", "from");
  return EMAIL.test(from.email) ? [] : [problem("The from email does not contain a valid address.", "from.email")];
}

function personalizationErrors(list) {
  if (list === undefined || list === null || (Array.isArray(list) && list.length === 0)) {
    const message = "The personalizations field is required and must have at least one personalization.";
    return [problem(message, "personalizations")];
  }
  if (!Array.isArray(list)) return wrongType(list, "array", "personalizations");
  if (list.length > RECIPIENT_LIMIT) {
    const message =
      `The personalization block is limited to 1000 personalizations per API request. You have provided ${list.length} ` +
      "personalizations. Please consider splitting this into multiple requests and resending your request.";
    return [problem(message, "personalizations")];
  }
  const recipients = list.filter(isObject).flatMap(recipientsOf).length;
  if (recipients > RECIPIENT_LIMIT) {
    return [problem("There is a limit of 1000 total recipients (to + cc + bcc) per request.", "personalizations")];
  }
  return list.flatMap((one, index) => onePersonalizationErrors(one, `personalizations.${index}`));
}

function onePersonalizationErrors(one, field) {
  if (!isObject(one)) return wrongType(one, "object", field, "personalizations");
  if (!Array.isArray(one.to) || one.to.length === 0) {
    const message =
      "The to array is required for all personalization objects, and must have at least one email object with a valid email address.";
    return [problem(message, `${field}.to`, "personalizations.to")];
  }
  const subject = one.subject === undefined ? [] : wrongType(one.subject, "string", `${field}.subject`, "personalizations.subject");
  const addresses = ["to", "cc", "bcc"].flatMap((kind) =>
    (Array.isArray(one[kind]) ? one[kind] : []).flatMap((address, index) =>
      addressErrors(address, `${field}.${kind}.${index}`, `personalizations.${kind}`),
    ),
  );
  const errors = [...addresses, ...subject];
  if (errors.length > 0) return errors;

  const emails = recipientsOf(one).map((address) => address.email.toLowerCase());
  const twice = emails.find((email, index) => emails.indexOf(email) !== index);
  if (!twice) return [];
  const message =
    "Each email address in the personalization block should be unique between to, cc, and bcc. " +
    `We found the first duplicate instance of [${twice}] in the ${field}.to field.`;
  return [problem(message, field, "personalizations")];
}

function addressErrors(address, field, anchor) {
  if (!isObject(address)) return wrongType(address, "object", field, anchor);
  if (address.email !== undefined && typeof address.email !== "string") {
    return wrongType(address.email, "string", `${field}.email`, anchor);
  }
  return EMAIL.test(address.email ?? "") ? [] : [problem("Does not contain a valid address.", `${field}.email`, anchor)];
}

function contentShapeErrors({ content, template_id: templateId }) {
  if (content === undefined || content === null || (Array.isArray(content) && content.length === 0)) {
    const message =
      "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined " +
      "content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.";
    return templateId ? [] : [problem(message, "content")];
  }
  if (!Array.isArray(content)) return wrongType(content, "array", "content");
  return content.flatMap((block, index) => {
    const field = `content.${index}`;
    if (!isObject(block)) return wrongType(block, "object", field, "content");
    const errors = [];
    if (typeof block.type !== "string" || block.type === "") {
      errors.push(problem("The content type must be a string at least one character in length.", `${field}.type`, "content.type"));
    }
    if (typeof block.value !== "string" || block.value === "") {
      errors.push(problem("The content value must be a string at least one character in length.", `${field}.value`, "content.value"));
    }
    return errors;
  });
}

function sandboxErrors(settings) {
  const enable = settings?.sandbox_mode?.enable;
  return enable === undefined ? [] : wrongType(enable, "boolean", "mail_settings.sandbox_mode.enable", "mail_settings.sandbox_mode");
}

function contentErrors({ subject, personalizations, content = [], template_id: templateId }) {
  const errors = [];
  if (!subject && !templateId && !personalizations.every((one) => one.subject)) {
    const message =
      "The subject is required. You can get around this requirement if you use a template with a subject defined " +
      "or if every personalization has a subject defined.";
    errors.push(problem(message, "subject"));
  }
  const types = content.map((block) => block.type.toLowerCase());
  const rank = (type) => (type === "text/plain" ? 0 : type === "text/html" ? 1 : 2);
  if (types.some((type, index) => index > 0 && rank(type) < rank(types[index - 1]))) {
    const message =
      "Following RFC 1341, section 7.2, if either text/html or text/plain are to be sent in your email: text/plain needs " +
      "to be first, followed by text/html, followed by any other content.";
    errors.push(problem(message, "content"));
  }
  return errors;
}

export function recipientsOf({ to, cc, bcc }) {
  return [to, cc, bcc].flatMap((list) => (Array.isArray(list) ? list : []));
}

function wrongType(value, expected, field, anchor) {
  const given = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (given === expected) return [];
  return [problem(`Invalid type. Expected: ${expected}, given: ${given}.`, field, anchor)];
}

function problem(message, field, anchor) {
  return { message, field, help: HELP + (anchor ? `message.${anchor}` : (ANCHORS[field] ?? `message.${field}`)) };
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
