from __future__ import annotations


class CandadoError(Exception):
    """Everything the service refuses, and every way to get no answer from it."""

    status: int
    """The HTTP status; 0 if there was no answer."""
    code: str
    """What programs decide by: the ``error`` of the answer, ``unreachable`` or ``timeout`` if there
    was none, ``unexpected_response`` if it is not the service's (a proxy's error page)."""
    message: str
    """For people who read logs."""
    field: str | None
    """The field of the request that is wrong."""
    reason: str | None
    """What is wrong with a passkey's answer."""
    attempts_remaining: int | None
    """How many wrong codes are left before a lock."""
    retry_after: int | None
    """Seconds to wait before trying again."""
    documentation_url: str | None
    """The page that explains this error."""
    request_id: str | None
    """What the service's log and its record of events know the request by."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        reason: str | None = None,
        attempts_remaining: int | None = None,
        retry_after: int | None = None,
        documentation_url: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.reason = reason
        self.attempts_remaining = attempts_remaining
        self.retry_after = retry_after
        self.documentation_url = documentation_url
        self.request_id = request_id

    def __str__(self) -> str:
        about = f" (field {self.field})" if self.field else ""
        more = f", see {self.documentation_url}" if self.documentation_url else ""
        return f"{self.code}: {self.message}{about}{more}"


class CodeRefused(CandadoError):  # noqa: N818 - what a wrong code is, to an application, is no error
    """Nobody gets in with this code.

    It is wrong or has expired (``invalid_code``), was used before (``code_already_used``), is a
    passkey's answer that is not good (``invalid_credential``, for its ``reason``), or no code is
    looked at (``locked``, ``factor_disabled``). Tell the user, and ask again.
    """


class LockedError(CodeRefused):
    """Too many wrong codes: wait ``retry_after`` seconds.

    Says nothing about the code that was sent along.
    """


class RateLimitedError(CandadoError):
    """Too many requests or messages: wait ``retry_after`` seconds."""


class DeliveryError(CandadoError):
    """A message cannot be sent.

    There is no address on file or not an allowed one, or the provider fails.
    """


class AuthenticationError(CandadoError):
    """The client id or secret is wrong, or the client is disabled."""


class ForbiddenError(CandadoError):
    """This client may not do this, or not without a fresh code of the user's
    (``step_up_required``)."""


class NotFoundError(CandadoError):
    """This client has no such user."""


class ConflictError(CandadoError):
    """The user's MFA is on already (``already_registered``), or is not on (``mfa_not_enabled``)."""


class InvalidRequestError(CandadoError):
    """The request is malformed; ``field`` says where."""


class UnavailableError(CandadoError):
    """The service is out of reach or fails, or something else answered in its place.

    Let nobody in; try again later.
    """


KINDS: dict[str, type[CandadoError]] = {
    "invalid_code": CodeRefused,
    "invalid_credential": CodeRefused,
    "code_already_used": CodeRefused,
    "factor_disabled": CodeRefused,
    "locked": LockedError,
    "channel_not_configured": DeliveryError,
    "delivery_failed": DeliveryError,
    "delivery_unavailable": DeliveryError,
    "destination_missing": DeliveryError,
    "destination_not_allowed": DeliveryError,
    "unexpected_response": UnavailableError,
}

KINDS_BY_STATUS: dict[int, type[CandadoError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def kind(status: int, code: str) -> type[CandadoError]:
    """The class of an error; the status tells it for a code this client does not know."""
    otherwise = InvalidRequestError if 400 <= status < 500 else UnavailableError  # noqa: PLR2004
    return KINDS.get(code) or KINDS_BY_STATUS.get(status, otherwise)
