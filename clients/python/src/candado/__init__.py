"""Client for Candado, multi-factor authentication as a service."""

from ._client import UNSET, AsyncCandado, Candado
from ._errors import (
    AuthenticationError,
    CandadoError,
    CodeRefused,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    InvalidRequestError,
    LockedError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from ._results import (
    Algorithm,
    Contact,
    Digits,
    Enrolment,
    Factor,
    Factors,
    FactorType,
    GeneratedCode,
    Locale,
    Method,
    PasskeyChallenge,
    Period,
    RecoveryCodes,
    RecoveryMethod,
    SentCode,
    SentRecovery,
    State,
    Status,
    TrustedDevice,
    TrustedDeviceChecked,
    TrustedDevices,
    Verified,
    VerifyMethod,
)

__version__ = "0.1.0"

__all__ = [
    "UNSET",
    "Algorithm",
    "AsyncCandado",
    "AuthenticationError",
    "Candado",
    "CandadoError",
    "CodeRefused",
    "ConflictError",
    "Contact",
    "DeliveryError",
    "Digits",
    "Enrolment",
    "Factor",
    "FactorType",
    "Factors",
    "ForbiddenError",
    "GeneratedCode",
    "InvalidRequestError",
    "Locale",
    "LockedError",
    "Method",
    "NotFoundError",
    "PasskeyChallenge",
    "Period",
    "RateLimitedError",
    "RecoveryCodes",
    "RecoveryMethod",
    "SentCode",
    "SentRecovery",
    "State",
    "Status",
    "TrustedDevice",
    "TrustedDeviceChecked",
    "TrustedDevices",
    "UnavailableError",
    "Verified",
    "VerifyMethod",
    "__version__",
]

# Tracebacks and help() name a class by where it is imported from.
for _public in (globals()[_name] for _name in __all__):
    if isinstance(_public, type):
        _public.__module__ = __name__
