"""What PyPI's fido2 says of each message: the file on standard input, verdicts on standard output."""

import copy
import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fido2 import cbor
from fido2.attestation import Attestation
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
)



def verify_attestation(attestation, client_data_hash):
    """Whether a statement is sound; no certificate is followed to its root."""
    verifier = Attestation.for_type(attestation.fmt)()
    verifier.verify(attestation.att_stmt, attestation.auth_data, client_data_hash)


file = json.load(sys.stdin)
setting = file["setting"]
server = Fido2Server(
    PublicKeyCredentialRpEntity(id=setting["rp_id"], name="Shop"),
    # With the preference `none` no statement would be looked at.
    attestation=AttestationConveyancePreference.INDIRECT,
    verify_origin=lambda origin: origin == setting["origin"],
    verify_attestation=verify_attestation,
)


def decode(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


def state(entry):
    return {"challenge": setting["challenge"], "user_verification": entry["user_verification"]}


def register(entry, message):
    server.register_complete(state(entry), message)


def authenticate(entry, message):
    stored = entry["stored"]
    credential = AttestedCredentialData.create(bytes(16), decode(stored["id"]), cbor.decode(decode(stored["key"])))
    server.authenticate_complete(state(entry), [credential], message)


def accepts(verify, entry, message):
    try:
        verify(entry, message)
    except Exception:  # whatever goes wrong is a refusal
        return False
    return True


def flipped(message, member, at):
    changed = copy.deepcopy(message)
    data = bytearray(decode(message["response"][member]))
    data[at] ^= 1
    changed["response"][member] = encode(data)
    return changed


def judge(verify, entry):
    changed = {
        member: "".join(
            "." if accepts(verify, entry, flipped(entry["message"], member, at)) else "x" for at in range(len(letters))
        )
        for member, letters in entry.get("changed", {}).items()
    }
    return {"accepted": accepts(verify, entry, entry["message"]), "changed": changed}


print(
    json.dumps(
        {
            "registrations": [judge(register, entry) for entry in file["registrations"]],
            "assertions": [judge(authenticate, entry) for entry in file["assertions"]],
        }
    )
)
