from __future__ import annotations


class CandadoError(Exception):
    """Everything the service refuses, and every way not to reach it."""

    status: int
    """The HTTP status; 0 if there was no answer."""
    code: str
    """What programs decide by: the ``error`` of the answer, ``unreachable`` or ``timeout`` if there
    was none, ``unexpected_response`` if it is not the service's (a proxy's error page)."""
    message: str
    """For people."""
    field: str | None
    """The field of the request that is wrong."""
    attempts_remaining: int | None
    """Wrong codes left until the user is locked."""
    retry_after: int | None
    """Seconds to wait before trying again."""
    request_id: str | None
    """What the service's log and audit trail know the request by."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        attempts_remaining: int | None = None,
        retry_after: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.attempts_remaining = attempts_remaining
        self.retry_after = retry_after
        self.request_id = request_id

    def __str__(self) -> str:
        about = f" (field {self.field})" if self.field else ""
        return f"{self.code}: {self.message}{about}"
