"""Requests and answers as values: nothing here sends or waits."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields, replace
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from urllib.parse import quote, urlsplit
from uuid import uuid4

from ._errors import CandadoError, UnavailableError, kind

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

RETRIES = 2


@dataclass(frozen=True, slots=True)
class Request:
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    body: Mapping[str, object] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    idempotency_key: str | None = None
    """Names the request, so that it takes effect once however often it is sent."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Their names in any case."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    stale_at: float
    """When it is replaced, which is a minute or a tenth of its life before it expires."""


def named(request: Request) -> Request:
    """With a key of its own if it changes something: it can be sent again whatever becomes of its
    answer."""
    if request.method == "GET":
        return request
    return replace(request, idempotency_key=str(uuid4()))


def post(path: str, user_id: str, fields: Mapping[str, object]) -> Request:
    """A request about a user. What is None is not said."""
    body = {"user_id": check_text("user_id", user_id), **said(fields)}
    return Request("POST", path, body)


def said(fields: Mapping[str, object]) -> dict[str, object]:
    """What is not None."""
    given = {name: value for name, value in fields.items() if value is not None}
    if "code" in given:
        check_code(given["code"])
    return given


def get(path: str, user_id: str) -> Request:
    query = {"user_id": check_text("user_id", user_id)}
    return Request("GET", path, query=query)


def test_messages(user_id: str | None) -> Request:
    query = None if user_id is None else {"user_id": check_text("user_id", user_id)}
    return Request("GET", "/mfa/test/messages", query=query)


def change(
    method: Literal["PATCH", "DELETE"], path: str, user_id: str, fields: Mapping[str, object]
) -> Request:
    return Request(method, path, {"user_id": check_text("user_id", user_id), **said(fields)})


def factor(factor_id: str) -> str:
    return f"/mfa/factors/{quote(check_text('factor_id', factor_id), safe='')}"


def delete_user(user_id: str, proof: Mapping[str, object]) -> Request:
    path = f"/mfa/users/{quote(check_text('user_id', user_id), safe='')}"
    return Request("DELETE", path, said(proof) or None)


def authentication(client_id: str, client_secret: str) -> Request:
    body = {
        "client_id": check_text("client_id", client_id),
        "client_secret": check_text("client_secret", client_secret),
    }
    return Request("POST", "/auth", body)


def check_text(name: str, value: object) -> str:
    """The text itself; says at once what is wrong with an argument that is none."""
    if not isinstance(value, str):
        found = "None" if value is None else type(value).__name__
        raise TypeError(f"{name} must be a str, not {found}")
    if not value:
        raise ValueError(f"{name} must not be empty")
    return value


def check_code(value: object) -> str:
    """What the user typed. An empty field is a wrong code; an int has lost its leading zeros."""
    if isinstance(value, int):
        raise TypeError("code must be a str, not int: leading zeros count")
    return "" if value == "" else check_text("code", value)


def credentials(
    client_id: str | None, client_secret: str | None, api_key: str | None
) -> Request | str:
    """What proves the client: an API key, or a request for a token."""
    if api_key is None:
        return authentication(cast("str", client_id), cast("str", client_secret))
    if client_id is not None or client_secret is not None:
        raise TypeError("api_key comes in the place of client_id and client_secret, not with them")
    return check_text("api_key", api_key)


def environment(variables: Mapping[str, str]) -> tuple[str, str | None, str | None, str | None]:
    """Address; client id and client secret, or an API key."""
    url, api_key = variables.get("CANDADO_URL"), variables.get("CANDADO_API_KEY")
    if url and api_key:
        return url, None, None, api_key
    names = ("CANDADO_URL", "CANDADO_CLIENT_ID", "CANDADO_CLIENT_SECRET")
    missing = [name for name in names if not variables.get(name)]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be set in the environment")
    url, client_id, client_secret = (variables[name] for name in names)
    return url, client_id, client_secret, None


def address(base_url: str) -> str:
    """The service's address without a slash at its end.

    Anybody on the way could read a secret sent by plain http.
    """
    parts = urlsplit(check_text("base_url", base_url))
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError(
            f"base_url must begin with https://, or with http:// on this machine; it is {base_url}"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url must be an address without user, query and fragment")
    return base_url.rstrip("/")


def read(response: Response) -> dict[str, Any]:
    """The answer's fields, or the error it is."""
    if response.status == 204:  # noqa: PLR2004
        return {}
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    if response.status in (200, 201) and isinstance(answer, dict):
        return answer
    raise _error(response, answer if isinstance(answer, dict) else {})


def _error(response: Response, answer: Mapping[str, Any]) -> CandadoError:
    def text(name: str) -> str | None:
        value = answer.get(name)
        return value if isinstance(value, str) else None

    def number(name: str) -> int | None:
        value = answer.get(name)
        return value if isinstance(value, int) else None

    retry_after = number("retry_after")
    if retry_after is None:
        retry_after = _seconds_until(response.headers.get("retry-after"))
    code = text("error") or "unexpected_response"
    return kind(response.status, code)(
        response.status,
        code,
        text("message") or f"Unexpected answer with status {response.status}",
        field=text("field"),
        reason=text("reason"),
        attempts_remaining=number("attempts_remaining"),
        retry_after=retry_after,
        documentation_url=text("documentation_url"),
        request_id=response.headers.get("x-request-id"),
    )


def _seconds_until(text: str | None) -> int | None:
    """``Retry-After`` is a number of seconds or a date (RFC 9110 section 10.2.3)."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time()
    except ValueError:
        return None
    return max(0, round(seconds))


def is_worth_retrying(error: CandadoError) -> bool:
    """Whether the same request may have another answer in a moment.

    That it takes effect once is its key's to see to.
    """
    if error.code in ("rate_limited", "request_in_progress", "unreachable"):
        return True
    # A provider that fails is its application's to know of: another channel may be better.
    unavailable = error.status == 503 and error.retry_after is not None  # noqa: PLR2004
    return unavailable and error.code != "delivery_unavailable"


def result(kind: type[T], answer: Mapping[str, Any]) -> T:
    """The dataclass ``kind`` of an answer. Fields a later service adds are left out."""
    values: dict[str, Any] = {}
    for each in fields(cast("Any", kind)):
        name = each.metadata.get("name", each.name)
        if name in answer:
            inner, value = each.metadata.get("of"), answer[name]
            values[each.name] = [result(inner, one) for one in value] if inner else value
        elif each.default is MISSING:
            raise UnavailableError(200, "unexpected_response", f"The answer has no {each.name}")
    return kind(**values)


def token(answer: Mapping[str, Any], asked_at: float) -> Token:
    value, lifetime = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not isinstance(lifetime, int):
        raise UnavailableError(200, "unexpected_response", "The answer of /auth has no token")
    return Token(value, asked_at + lifetime - min(60, lifetime / 10))
