"""Client for Candado, multi-factor authentication as a service."""

from ._client import UNSET, AsyncCandado, Candado
from ._errors import CandadoError
from ._results import (
    Accepted,
    Algorithm,
    Contact,
    Digits,
    Enrolment,
    GeneratedCode,
    Locale,
    Method,
    Period,
    RecoveryCodes,
    RecoveryMethod,
    RefusalReason,
    Refused,
    SentCode,
    SentRecovery,
    Status,
    VerifyMethod,
    VerifyResult,
)

__all__ = [
    "UNSET",
    "Accepted",
    "Algorithm",
    "AsyncCandado",
    "Candado",
    "CandadoError",
    "Contact",
    "Digits",
    "Enrolment",
    "GeneratedCode",
    "Locale",
    "Method",
    "Period",
    "RecoveryCodes",
    "RecoveryMethod",
    "RefusalReason",
    "Refused",
    "SentCode",
    "SentRecovery",
    "Status",
    "VerifyMethod",
    "VerifyResult",
]
