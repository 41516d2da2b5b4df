"""What the methods answer. Times are Unix seconds. What is secret is left out of ``repr()``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Method: TypeAlias = Literal[
    "totp", "passkey", "sms", "email", "generated", "recovery_code", "recovery"
]
"""What a code proved.

``recovery`` is the code of a recovery message: let its user set up a new device and nothing else.
``recovery_code`` is one of the ten the user saved.
"""
VerifyMethod: TypeAlias = Literal["totp", "sms", "email", "generated", "recovery_code"]
"""The methods ``verify`` can be told to insist on."""
RecoveryMethod: TypeAlias = Literal["sms", "email", "link"]
"""Where a recovery message can go. A ``link`` goes by e-mail, to the hosted page."""
Algorithm: TypeAlias = Literal["SHA1", "SHA256", "SHA512"]
"""The hash of the authenticator's codes. Every app knows SHA1; some ignore the others."""
Digits: TypeAlias = Literal[6, 8]
"""How many digits the authenticator's codes have."""
Period: TypeAlias = Literal[30, 60]
"""How many seconds the authenticator shows one code."""
Locale: TypeAlias = Literal["en", "es"]
"""The language of a message."""
SessionPurpose: TypeAlias = Literal["verify", "enrol", "manage", "recover"]
"""What a session of the hosted page is for."""
State: TypeAlias = Literal["active", "pending", "disabled", "none"]
"""``active``: ask for codes. ``pending``: waits for its first code. ``disabled``: turned off, by
request or by a hundred wrong codes in a row. ``none``: the service does not know the user."""


FactorType: TypeAlias = Literal["totp", "passkey"]
"""What kind of factor it is."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    qr_code_url: str = field(repr=False)
    """The QR code as an image, while the first code is awaited. Show it to its user only."""
    secret: str = field(repr=False)
    """For typing by hand, in base32. Do not store it."""
    otpauth_url: str = field(repr=False)
    """What the QR code says; on a phone a link that opens the app."""
    state: Literal["pending", "active"]
    expires_at: int | None = None
    """Until when the first code is awaited; None if it is not."""
    factor_id: str | None = None
    """What the app is called in ``factors``."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good code proved. For one that is not good there is no result: ``verify`` raises."""

    method: Method
    user_verified: bool | None = None
    """Of a passkey: whether its authenticator checked who used it."""
    trusted_device: str | None = field(default=None, repr=False)
    """For a cookie of the browser, where it is remembered."""
    result_token: str | None = field(default=None, repr=False)
    """A JWS by ES256 that says the same for five minutes; None unless it was asked for."""


@dataclass(frozen=True, slots=True)
class Factor:
    id: str
    type: FactorType
    state: State
    created_at: int
    name: str | None = None
    """What its user calls it."""
    confirmed_at: int | None = None
    """When it began to count."""
    last_used_at: int | None = None
    backed_up: bool | None = None
    """Of a passkey: whether there are copies of it."""
    transports: list[str] | None = None
    aaguid: str | None = None
    """Of a passkey: its authenticator's model, which nothing proves."""


@dataclass(frozen=True, slots=True)
class Factors:
    recovery_codes_remaining: int
    factors: list[Factor] = field(metadata={"of": Factor})
    phone: str | None = None
    """Masked: safe to show."""
    email: str | None = None
    """Masked: safe to show."""


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """For a browser."""

    challenge_id: str
    """Good for one attempt."""
    expires_in: int
    """Seconds the browser has."""
    public_key: dict[str, Any] = field(metadata={"name": "publicKey"})
    """For ``parseCreationOptionsFromJSON`` or ``parseRequestOptionsFromJSON`` of the browser's
    ``PublicKeyCredential``."""


@dataclass(frozen=True, slots=True)
class TrustedDeviceChecked:
    trusted_device: str = field(repr=False)
    """What the cookie holds from now on."""
    expires_at: int


@dataclass(frozen=True, slots=True)
class TrustedDevice:
    id: str
    created_at: int
    expires_at: int
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class TrustedDevices:
    trusted_devices: list[TrustedDevice] = field(metadata={"of": TrustedDevice})


@dataclass(frozen=True, slots=True)
class SentCode:
    destination: str
    """Where it went, masked: safe to show."""
    expires_in: int
    """Seconds the code is good for."""


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    code: str = field(repr=False)
    expires_in: int
    """Seconds the code is good for."""


@dataclass(frozen=True, slots=True)
class SentRecovery:
    expires_in: int
    """Seconds the code is good for."""


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    recovery_codes: list[str] = field(repr=False)
    """For the user to keep. Shown this once."""
    remaining: int


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    url: str = field(repr=False)
    """Where to send the browser. The first one that opens it keeps the session."""
    expires_in: int
    """Seconds the page stays open without a press."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    user_id: str
    """Compare it with the user your own session is of."""
    purpose: SessionPurpose
    method: str | None = None
    """What was proved; None where nothing had to be, such as for a first way."""
    amr: list[str] = field(default_factory=list)
    """The proof in the words of RFC 8176."""
    auth_time: int | None = None
    nonce: str | None = None
    result_token: str | None = field(default=None, repr=False)
    """The same for others who verify it themselves; None where nothing had to be proved."""
    trusted_device: str | None = field(default=None, repr=False)
    """For a cookie of yours, if the user asked for the browser to be remembered."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Masked: safe to show."""

    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    mfa_enabled: bool
    """Whether to ask for a code after the password."""
    state: State
    methods: list[Method]
    """The ways this user can get a code now, recovery apart."""
    recovery_codes_remaining: int
    locked_until: int | None = None
    """Until when codes are refused unseen; None if they are not."""
    created_at: int | None = None
    last_verified_at: int | None = None


@dataclass(frozen=True, slots=True)
class TestMessage:
    """What would have been sent for a test client."""

    # Not a class of tests, whatever its name begins with.
    __test__ = False

    user_id: str
    channel: Literal["sms", "email"]
    purpose: Literal["verify", "recovery", "notice"]
    """``recovery`` where it is to bind a new device with."""
    to: str
    """A phone number or an e-mail address."""
    text: str
    sent_at: int
    """By the client's clock."""
    code: str | None = None
    """None where the message has a link in its place."""
    subject: str | None = None
    """None for an SMS."""


@dataclass(frozen=True, slots=True)
class TestClock:
    """Where the clock of a test client stands."""

    __test__ = False

    now: int
    """The client's time: make the codes of an authenticator app for it."""
    ahead_seconds: int
    """How far it is ahead of the service's."""
