"""What the methods answer. Times are Unix seconds. What is secret is left out of ``repr()``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

Method: TypeAlias = Literal["totp", "sms", "email", "generated", "recovery_code", "recovery"]
"""How a code was proved. ``recovery`` and ``recovery_code`` are no equals of the others: let the
user bind anew."""
VerifyMethod: TypeAlias = Literal["totp", "sms", "email", "generated", "recovery_code"]
RecoveryMethod: TypeAlias = Literal["sms", "email"]
Algorithm: TypeAlias = Literal["SHA1", "SHA256", "SHA512"]
Digits: TypeAlias = Literal[6, 8]
Period: TypeAlias = Literal[30, 60]
Locale: TypeAlias = Literal["en", "es"]
RefusalReason: TypeAlias = Literal["invalid_code", "code_already_used", "locked", "factor_disabled"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    qr_code_url: str = field(repr=False)
    secret: str = field(repr=False)
    otpauth_url: str = field(repr=False)
    state: Literal["pending", "active"]
    expires_at: int | None = None
    """Until when a first code is awaited."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A good code. True."""

    method: Method
    ok: ClassVar[Literal[True]] = True

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Refused:
    """A code that is not good. False."""

    reason: RefusalReason
    attempts_remaining: int | None = None
    """Wrong codes left until the user is locked."""
    retry_after: int | None = None
    """Seconds until a next try makes sense."""
    ok: ClassVar[Literal[False]] = False

    def __bool__(self) -> Literal[False]:
        return False


VerifyResult: TypeAlias = Accepted | Refused


@dataclass(frozen=True, slots=True)
class SentCode:
    destination: str
    """Masked, to be shown to the user."""
    expires_in: int


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    code: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class SentRecovery:
    expires_in: int


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    recovery_codes: list[str] = field(repr=False)
    remaining: int


@dataclass(frozen=True, slots=True)
class Contact:
    """Masked, to be shown to the user."""

    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    mfa_enabled: bool
    state: Literal["active", "pending", "disabled", "none"]
    methods: list[Method]
    recovery_codes_remaining: int
    locked_until: int | None = None
    created_at: int | None = None
    last_verified_at: int | None = None
