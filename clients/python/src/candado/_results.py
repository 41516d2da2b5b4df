"""What the methods answer. Times are Unix seconds. What is secret is left out of ``repr()``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["totp", "sms", "email", "generated", "recovery_code", "recovery"]
"""What a code proved.

``recovery`` is the code of a recovery message: let its user set up a new device and nothing else.
``recovery_code`` is one of the ten the user saved.
"""
VerifyMethod: TypeAlias = Literal["totp", "sms", "email", "generated", "recovery_code"]
"""The methods ``verify`` can be told to insist on."""
RecoveryMethod: TypeAlias = Literal["sms", "email"]
"""Where a recovery message can go."""
Algorithm: TypeAlias = Literal["SHA1", "SHA256", "SHA512"]
"""The hash of the authenticator's codes. Every app knows SHA1; some ignore the others."""
Digits: TypeAlias = Literal[6, 8]
"""How many digits the authenticator's codes have."""
Period: TypeAlias = Literal[30, 60]
"""How many seconds the authenticator shows one code."""
Locale: TypeAlias = Literal["en", "es"]
"""The language of a message."""
State: TypeAlias = Literal["active", "pending", "disabled", "none"]
"""``active``: ask for codes. ``pending``: waits for its first code. ``disabled``: turned off, by
request or by a hundred wrong codes in a row. ``none``: the service does not know the user."""


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


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good code proved. For one that is not good there is no result: ``verify`` raises."""

    method: Method


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
