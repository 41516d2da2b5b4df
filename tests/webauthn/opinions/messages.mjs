// The messages of tests/vectors/webauthn-messages.json, one by one and with each byte changed.

/** What `register` and `assert` say of each: `{accepted, changed: {member: "..x."}}`, a dot for what is accepted. */
export async function judge(file, register, assert) {
  const all = async (entries, accepts) => {
    const verdicts = [];
    for (const entry of entries) verdicts.push(await one(entry, accepts));
    return verdicts;
  };
  return { registrations: await all(file.registrations, register), assertions: await all(file.assertions, assert) };
}

async function one(entry, accepts) {
  const verdict = { accepted: await accepts(entry, entry.message), changed: {} };
  for (const [member, letters] of Object.entries(entry.changed ?? {})) {
    verdict.changed[member] = "";
    for (let at = 0; at < letters.length; at++) {
      verdict.changed[member] += (await accepts(entry, flipped(entry.message, member, at))) ? "." : "x";
    }
  }
  return verdict;
}

/** The message with the lowest bit of one byte flipped. */
function flipped(message, member, at) {
  const bytes = Buffer.from(message.response[member], "base64url");
  bytes[at] ^= 1;
  return { ...message, response: { ...message.response, [member]: bytes.toString("base64url") } };
}
