// Where others judge a message differently, and why. Every difference stands here, and what stands here is one.

const keys = [
  "an Ed25519 key of small order",
  "a point off the curve",
  "a compressed point",
  "another curve",
  "an RSA key of 1024 bits",
  "an RSA key with the exponent 3",
];

/** What none of them does for its caller, or does otherwise. */
const everyones = {
  "It does not know how a key was registered (decision 42).": { assertions: ["verified by a key that was registered without"] },
  "The user handle is for its caller to compare.": { assertions: ["another user's handle"] },
  "An attested credential in an assertion is read and left alone.": { assertions: ["an attested credential"] },
};

/** Messages that we refuse and they accept, by the reason. */
const laxer = {
  "@simplewebauthn/server": {
    ...everyones,
    "It looks at crossOrigin only beside topOrigin, and only in assertions.": {
      registrations: ["a frame in another page", "a frame in another page, named"],
      assertions: ["a frame in another page"],
    },
    "Of two members JSON.parse takes the last.": { registrations: ["two origins"], assertions: ["two origins"] },
    "Without attestation it does not look into the key.": { registrations: keys },
    "It takes CBOR in any order, and whatever follows it.": {
      registrations: ["a key in another order", "an object in another order", "bytes after the object", "extensions that are no map"],
    },
    "It does not limit an id, nor compare it with the attested one.": {
      registrations: ["an id of 1024 bytes", "another id than the attested"],
    },
    "It does not store whether a key may be backed up.": {
      assertions: ["eligible for backup all of a sudden", "no longer eligible for backup"],
    },
  },
  fido2: {
    ...everyones,
    "It does not look at crossOrigin and topOrigin.": {
      registrations: ["a frame in another page", "a frame in another page, named"],
      assertions: ["a frame in another page", "a frame in another page, named"],
    },
    "Of two members json.loads takes the last.": { registrations: ["two origins"], assertions: ["two origins"] },
    "Without attestation it does not look into the key.": { registrations: keys },
    "It takes CBOR in any order, and the last of two keys.": {
      registrations: [
        "a key in another order",
        "a key with an entry twice",
        "an object in another order",
        "a format twice",
        "extensions with a key twice",
        "extensions that are no map",
      ],
      assertions: ["extensions that are no map"],
    },
    "It does not limit an id, nor compare it with the attested one.": {
      registrations: ["an id of 1024 bytes", "an empty id", "another id than the attested"],
    },
    "It does not read the credential's type.": { registrations: ["another type"], assertions: ["another type"] },
    "It does not look at the flags of backups.": {
      registrations: ["backed up but not eligible"],
      assertions: ["backed up but not eligible", "eligible for backup all of a sudden", "no longer eligible for backup"],
    },
    "The counter is for its caller to compare.": {
      assertions: [
        "a counter that stands still",
        "a counter that goes back",
        "a counter that ends",
        "a counter that wraps",
        "a counter that goes back, of a passkey that is not",
      ],
    },
  },
  "webauthn-rs": {
    ...everyones,
    "It compares origins as URLs.": { registrations: ["an origin with a path"], assertions: ["an origin with a path"] },
    "It looks at crossOrigin in registrations alone.": {
      assertions: ["a frame in another page", "a frame in another page, named"],
    },
    "It takes CBOR in any order and length, the last of two keys, and what follows.": {
      registrations: [
        "a key in another order",
        "a key with an entry twice",
        "an object in another order",
        "an object of indefinite length",
        "extensions with a key twice",
        "bytes after the key",
      ],
      assertions: ["bytes after the data"],
    },
    "It does not look into a statement of format none.": { registrations: ["none with a statement"] },
    "It does not limit an id, nor compare what else it is given as one.": {
      registrations: ["an id of 1024 bytes", "an empty id", "another id than the attested", "two ids"],
    },
    "It does not read the credential's type.": { registrations: ["another type"], assertions: ["another type"] },
  },
};

const backedUp = { assertions: ["a counter that goes back, of a passkey that is backed up"] };

/** Messages that we accept and they refuse. */
const stricter = {
  "@simplewebauthn/server": { "A counter may never go back.": backedUp },
  fido2: {},
  "webauthn-rs": {
    "A counter may never go back.": backedUp,
    "Its version 0.6 has no Ed25519.": {
      registrations: ["Ed25519 without attestation", "Ed25519, attested by itself"],
      assertions: ["Ed25519"],
    },
  },
};

/** Changed bytes. `ours` are the letters of our verdict; the rest narrows down where. */
const bytes = {
  everyones: {
    "What is malformed to a strict reader alone.": { ours: "m", theirs: "." },
    "A format that they do not know; to us it is worth as much as none.": {
      ours: ".",
      theirs: "x",
      member: "attestationObject",
      // The name's letters: `none` or `packed`.
      from: 6,
      to: 11,
    },
  },
  "@simplewebauthn/server": {
    "It passes over the length of a signature in DER.": {
      ours: "s",
      theirs: ".",
      name: "ES256, attested by itself",
      member: "attestationObject",
      from: 33,
      to: 33,
    },
  },
};

/** Answers how often they agree, and a line for each difference that is not explained. */
export function compare(who, ours, theirs) {
  const problems = [];
  const counts = { messages: 0, otherwise: 0, bytes: 0, bytesOtherwise: 0 };
  const explained = (reasons, kind, name) => Object.values(reasons).some((titles) => titles[kind]?.includes(name));
  const rules = Object.values({ ...bytes.everyones, ...bytes[who] });
  const used = new Set();
  for (const kind of ["registrations", "assertions"]) {
    for (const [index, entry] of ours[kind].entries()) {
      const { accepted, changed } = theirs[kind][index];
      const we = entry.verdict === "accepted";
      const difference = we === accepted ? "none" : accepted ? "laxer" : "stricter";
      const known = explained(laxer[who], kind, entry.name) ? "laxer" : explained(stricter[who], kind, entry.name) ? "stricter" : "none";
      if (difference !== known) problems.push(`${kind}: ${entry.name}: we say ${entry.verdict}, they ${accepted ? "accept" : "refuse"} it`);
      counts.messages++;
      if (difference !== "none") counts.otherwise++;

      for (const [member, letters] of Object.entries(entry.changed ?? {})) {
        for (const [at, letter] of [...letters].entries()) {
          counts.bytes++;
          const verdict = changed[member][at];
          if ((letter === ".") === (verdict === ".")) continue;
          // Who refuses the good message refuses the changed one for the same reason.
          if (known === "stricter" && letter === ".") continue;
          const rule = rules.find(
            (rule) =>
              rule.ours === letter &&
              rule.theirs === verdict &&
              (rule.name ?? entry.name) === entry.name &&
              (rule.member ?? member) === member &&
              at >= (rule.from ?? 0) &&
              at <= (rule.to ?? Infinity),
          );
          used.add(rule);
          counts.bytesOtherwise++;
          if (!rule) problems.push(`${kind}: ${entry.name}, ${member} at ${at}: we say ${letter}, they ${verdict === "." ? "accept" : "refuse"} it`);
        }
      }
    }
  }
  for (const rule of rules) if (!used.has(rule)) problems.push(`no byte is judged otherwise by ${JSON.stringify(rule)}`);
  const named = [laxer[who], stricter[who]].flatMap(Object.values).flatMap(Object.values).flat().length;
  if (named !== counts.otherwise) problems.push(`${named} differences are named, and ${counts.otherwise} were met`);
  const summary =
    `${counts.messages} messages, ${counts.otherwise} of them judged otherwise; ` +
    `${counts.bytes} changed bytes, ${counts.bytesOtherwise} of them judged otherwise`;
  return { summary, problems };
}
