"""The two clients. Their logic is written once, as coroutines over what sends and waits.

For ``AsyncCandado`` that is asyncio. What ``Candado`` waits with blocks, so that its coroutines run
from beginning to end without a loop.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import Future, wait
from enum import Enum
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

import httpx

from . import _wire as wire
from ._errors import CandadoError, UnavailableError
from ._results import (
    Algorithm,
    Contact,
    Digits,
    Enrolment,
    Factor,
    Factors,
    GeneratedCode,
    Locale,
    PasskeyChallenge,
    Period,
    RecoveryCodes,
    RecoveryMethod,
    SentCode,
    SentRecovery,
    Session,
    SessionPurpose,
    SessionResult,
    Status,
    TestClock,
    TestMessage,
    TrustedDeviceChecked,
    TrustedDevices,
    Verified,
    VerifyMethod,
)
from ._wire import Request, Response, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType

    from typing_extensions import Self

T = TypeVar("T")
P = ParamSpec("P")


class _Unset(Enum):
    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset.UNSET
"""Stays as it is, where None would remove it."""


class _IO(Protocol):
    """How to send and to wait."""

    async def send(self, request: Request, token: str | None, timeout: float) -> Response: ...

    async def sleep(self, seconds: float) -> None: ...

    async def once(
        self,
        known: Callable[[], Token | None],
        make: Callable[[], Coroutine[Any, Any, Token]],
        timeout: float,
    ) -> Token:
        """The token that is known by now, else the one being made, else a new one."""
        ...


class _Deadline:
    """The time one call may take."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; raises when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise _timeout()
        return left

    def allows(self, seconds: float) -> bool:
        return time.monotonic() + seconds < self._ends


def _timeout() -> UnavailableError:
    return UnavailableError(0, "timeout", "No answer in time")


class _Operations:
    """Every operation of the service, over whatever sends and waits."""

    def __init__(self, io: _IO, credentials: Request | str, timeout: float) -> None:
        self._io = io
        self._credentials = credentials
        self._timeout = timeout
        self._token: Token | None = None

    async def register(
        self,
        user_id: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        account_name: str | None = None,
        algorithm: Algorithm | None = None,
        digits: Digits | None = None,
        period: Period | None = None,
        confirm: bool | None = None,
    ) -> Enrolment:
        """Begin to bind an authenticator app: show the QR code, then ``verify`` a first code
        within 10 minutes.

        ``account_name`` is what the app shows beside your name. Put in ``email`` and ``phone`` only
        if you have verified them: whoever reads them can log in. With ``confirm=False`` MFA is on
        at once, without a first code.
        """
        fields = {
            "email": email,
            "phone": phone,
            "account_name": account_name,
            "algorithm": algorithm,
            "digits": digits,
            "period": period,
            "confirm": confirm,
        }
        return await self._result(Enrolment, wire.post("/mfa/register", user_id, fields))

    async def renew(
        self,
        user_id: str,
        *,
        revoke_current: bool | None = None,
        factor_id: str | None = None,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> Enrolment:
        """Begin to bind another authenticator app.

        The present one works until a first code of the new one is verified, unless
        ``revoke_current`` is true. After a lost device hand the recovery code over as ``code``.
        Where the user has several apps, ``factor_id`` says which.
        """
        proof = _proof(code, challenge_id, credential)
        fields = {"revoke_current": revoke_current, "factor_id": factor_id, **proof}
        return await self._result(Enrolment, wire.post("/mfa/renew", user_id, fields))

    async def verify(
        self,
        user_id: str,
        code: str,
        *,
        method: VerifyMethod | None = None,
        remember: bool | None = None,
        result_token: bool | None = None,
        nonce: str | None = None,
    ) -> Verified:
        """Verify what the user typed, of whatever kind.

        Returns only if the code is good, which is then spent; raises ``CodeRefused`` if it is not.
        Look at ``method`` of the result where you do not ask for one: ``recovery`` signs nobody in.
        With ``remember`` the result may have a ``trusted_device`` for a cookie. With
        ``result_token=True`` the result also comes as a token that other services of yours can
        verify; ``nonce`` is repeated in it.
        """
        fields = {
            "code": wire.check_code(code),
            "method": method,
            "remember": remember,
            "result_token": result_token,
            "nonce": nonce,
        }
        return await self._result(Verified, wire.post("/mfa/verify", user_id, fields))

    async def verify_passkey(
        self,
        user_id: str,
        *,
        challenge_id: str,
        credential: Mapping[str, object],
        remember: bool | None = None,
    ) -> Verified:
        """Verify what a passkey signed, as the browser gave it; raises ``CodeRefused`` if it is not
        good."""
        fields = {**_proof(None, challenge_id, credential), "remember": remember}
        return await self._result(Verified, wire.post("/mfa/verify", user_id, fields))

    async def factors(self, user_id: str) -> Factors:
        """What the user can log in with: apps and passkeys."""
        return await self._result(Factors, wire.get("/mfa/factors", user_id))

    async def add_factor(
        self,
        user_id: str,
        *,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        account_name: str | None = None,
        algorithm: Algorithm | None = None,
        digits: Digits | None = None,
        period: Period | None = None,
        confirm: bool | None = None,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> Enrolment:
        """Begin to bind another authenticator app beside those the user has."""
        fields = {
            "type": "totp",
            "name": name,
            "email": email,
            "phone": phone,
            "account_name": account_name,
            "algorithm": algorithm,
            "digits": digits,
            "period": period,
            "confirm": confirm,
            **_proof(code, challenge_id, credential),
        }
        return await self._result(Enrolment, wire.post("/mfa/factors", user_id, fields))

    async def rename_factor(self, user_id: str, factor_id: str, name: str) -> Factor:
        """Give a factor the name its user knows it by."""
        fields = {"name": wire.check_text("name", name)}
        request = wire.change("PATCH", wire.factor(factor_id), user_id, fields)
        return await self._result(Factor, request)

    async def remove_factor(
        self,
        user_id: str,
        factor_id: str,
        *,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> None:
        """Remove a factor. The last one that works stays: ``disable`` turns MFA off."""
        proof = _proof(code, challenge_id, credential)
        await self._call(wire.change("DELETE", wire.factor(factor_id), user_id, proof))

    async def passkey_options(
        self,
        user_id: str,
        *,
        name: str | None = None,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> PasskeyChallenge:
        """Begin to make a passkey: a browser needs ``public_key`` for it.

        ``name`` is the account name that the browser shows.
        """
        fields = {"name": name, **_proof(code, challenge_id, credential)}
        request = wire.post("/mfa/passkeys/options", user_id, fields)
        return await self._result(PasskeyChallenge, request)

    async def register_passkey(
        self,
        user_id: str,
        *,
        challenge_id: str,
        credential: Mapping[str, object],
        name: str | None = None,
    ) -> Factor:
        """Bind the passkey that the browser made. It counts at once."""
        fields = {**_proof(None, challenge_id, credential), "name": name}
        return await self._result(Factor, wire.post("/mfa/passkeys", user_id, fields))

    async def passkey_challenge(self, user_id: str) -> PasskeyChallenge:
        """Ask for one of the user's passkeys: a browser needs ``public_key`` for it."""
        request = wire.post("/mfa/passkeys/challenge", user_id, {})
        return await self._result(PasskeyChallenge, request)

    async def check_trusted_device(self, user_id: str, trusted_device: str) -> TrustedDeviceChecked:
        """Whether the browser with that cookie is remembered.

        If so, ask for no second factor and put the new value into the cookie. Raises an error with
        the code ``not_trusted`` if it is not.
        """
        fields = {"trusted_device": trusted_device}
        request = wire.post("/mfa/trusted-devices/check", user_id, fields)
        return await self._result(TrustedDeviceChecked, request)

    async def trusted_devices(self, user_id: str) -> TrustedDevices:
        """Which browsers are remembered."""
        return await self._result(TrustedDevices, wire.get("/mfa/trusted-devices", user_id))

    async def forget_trusted_devices(self, user_id: str, *, id: str | None = None) -> None:  # noqa: A002 - as the service calls it
        """Forget a remembered browser, or all."""
        await self._call(wire.change("DELETE", "/mfa/trusted-devices", user_id, {"id": id}))

    async def send_sms(self, user_id: str, *, locale: Locale | None = None) -> SentCode:
        """Send a code to the user's phone."""
        request = wire.post("/mfa/sms", user_id, {"locale": locale})
        return await self._result(SentCode, request)

    async def send_email(self, user_id: str, *, locale: Locale | None = None) -> SentCode:
        """Send a code to the user's e-mail address."""
        request = wire.post("/mfa/email", user_id, {"locale": locale})
        return await self._result(SentCode, request)

    async def generate_code(self, user_id: str) -> GeneratedCode:
        """Make a code for you to hand over yourself, on paper or by voice."""
        return await self._result(GeneratedCode, wire.post("/mfa/generate", user_id, {}))

    async def recover(
        self, user_id: str, method: RecoveryMethod, *, locale: Locale | None = None
    ) -> SentRecovery:
        """Send a message with a code of eight digits to a user who has lost the device.

        Hand what the user types to ``renew`` as ``code``. Not to be confused with
        ``recovery_codes``, the ten codes a user keeps.
        """
        fields = {"recovery_method": method, "locale": locale}
        request = wire.post("/mfa/recovery", user_id, fields)
        return await self._result(SentRecovery, request)

    async def recovery_codes(
        self,
        user_id: str,
        *,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> RecoveryCodes:
        """Make ten recovery codes for the user to keep, each good once; the former ones are dead.

        Show them now: they cannot be had again. Nothing is sent; for a message to a user without
        any code there is ``recover``.
        """
        proof = _proof(code, challenge_id, credential)
        request = wire.post("/mfa/recovery-codes", user_id, proof)
        return await self._result(RecoveryCodes, request)

    async def create_session(
        self,
        user_id: str,
        *,
        purpose: SessionPurpose,
        return_url: str,
        state: str | None = None,
        nonce: str | None = None,
        locale: Locale | None = None,
        remember: bool | None = None,
        account_name: str | None = None,
    ) -> Session:
        """Begin a session of the hosted page: send the browser to its ``url``.

        It comes back to ``return_url``, which is one of the client's setting ``return_urls``, with
        ``code`` and ``state``, or with ``error``.
        """
        fields = {
            "purpose": purpose,
            "return_url": return_url,
            "state": state,
            "nonce": nonce,
            "locale": locale,
            "remember": remember,
            "account_name": account_name,
        }
        return await self._result(Session, wire.post("/mfa/sessions", user_id, fields))

    async def get_session_result(self, code: str) -> SessionResult:
        """What came of a session, for the ``code`` that the browser brought back: once, within a
        minute.

        Compare ``user_id`` with the user your own session is of, before you let anybody in.
        """
        request = Request("POST", "/mfa/sessions/result", {"code": wire.check_code(code)})
        return await self._result(SessionResult, request)

    async def status(self, user_id: str) -> Status:
        """What the user has set up. A user the service does not know has the state ``none``."""
        return await self._result(Status, wire.get("/mfa/status", user_id))

    async def set_contact(
        self,
        user_id: str,
        *,
        email: str | _Unset | None = UNSET,
        phone: str | _Unset | None = UNSET,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> Contact:
        """Change where codes go: what is left out stays, None removes it."""
        proof = _proof(code, challenge_id, credential)
        request = wire.post("/mfa/contact", user_id, proof)
        edits = {"email": email, "phone": phone}
        body = {**(request.body or {}), **{k: v for k, v in edits.items() if v is not UNSET}}
        return await self._result(Contact, Request("POST", request.path, body))

    async def disable(
        self,
        user_id: str,
        *,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> None:
        """Turn MFA off for the user; the recovery codes are gone too."""
        proof = _proof(code, challenge_id, credential)
        await self._call(wire.post("/mfa/disable", user_id, proof))

    async def delete_user(
        self,
        user_id: str,
        *,
        code: str | None = None,
        challenge_id: str | None = None,
        credential: Mapping[str, object] | None = None,
    ) -> None:
        """Forget everything about the user."""
        await self._call(wire.delete_user(user_id, _proof(code, challenge_id, credential)))

    async def import_factor(
        self,
        user_id: str,
        *,
        secret: str | None = None,
        otpauth_url: str | None = None,
        algorithm: Algorithm | None = None,
        digits: Digits | None = None,
        period: Period | None = None,
        account_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
    ) -> None:
        """Take over a secret that the user's authenticator app already has. MFA is on at once.

        The secret comes as base32 in ``secret``, or within ``otpauth_url``, which says by itself
        how its codes are made.
        """
        fields = {
            "secret": secret,
            "otpauth_url": otpauth_url,
            "algorithm": algorithm,
            "digits": digits,
            "period": period,
            "account_name": account_name,
            "email": email,
            "phone": phone,
        }
        await self._call(wire.post("/mfa/import", user_id, fields))

    async def test_messages(self, *, user_id: str | None = None) -> list[TestMessage]:
        """What would have been sent for a test client, oldest first: to one user, or to all."""
        answer = await self._call(wire.test_messages(user_id))
        return [wire.result(TestMessage, message) for message in answer["messages"]]

    async def advance_test_clock(self, seconds: int) -> TestClock:
        """Put the clock of a test client forward, for all its users and for good.

        0 seconds say what time it is.
        """
        request = Request("POST", "/mfa/test/clock", {"advance_seconds": seconds})
        return await self._result(TestClock, request)

    async def revoke_token(self) -> None:
        """Revoke the access token this client holds, if any. A later call gets a new one.

        An API key stays as it is.
        """
        token, self._token = self._token, None
        if token is not None:
            body = {"access_token": token.value}
            request = Request("POST", "/auth/revoke", body)
            await self._exchange(request, _Deadline(self._timeout), authorized=False)

    async def _result(self, kind: type[T], request: Request) -> T:
        return wire.result(kind, await self._call(request))

    async def _call(self, request: Request) -> dict[str, Any]:
        named = wire.named(request)
        return await self._exchange(named, _Deadline(self._timeout), authorized=True)

    async def _exchange(
        self, request: Request, deadline: _Deadline, *, authorized: bool
    ) -> dict[str, Any]:
        refused: str | None = None
        retries = 0
        while True:
            token = await self._proof(deadline, refused) if authorized else None
            try:
                return wire.read(await self._io.send(request, token, deadline.left()))
            except CandadoError as error:
                # An API key that was refused is refused again.
                renews = token is not None and token != self._credentials
                if error.code == "invalid_token" and renews and refused is None:
                    refused = token
                    continue
                pause = 1 if error.retry_after is None else error.retry_after
                worth = retries < wire.RETRIES and wire.is_worth_retrying(error)
                if not (worth and deadline.allows(pause)):
                    raise
            await self._io.sleep(pause)
            retries += 1

    async def _proof(self, deadline: _Deadline, refused: str | None) -> str:
        if isinstance(self._credentials, str):
            return self._credentials
        return await self._valid_token(deadline, refused)

    async def _valid_token(self, deadline: _Deadline, refused: str | None) -> str:
        def known() -> Token | None:
            token = self._token
            good = token is not None and token.value != refused
            return token if good and token and time.monotonic() < token.stale_at else None

        token = known() or await self._io.once(known, self._new_token, deadline.left())
        return token.value

    async def _new_token(self) -> Token:
        asked_at = time.monotonic()
        # A time of its own: whoever asked first may give up, the others still wait for it.
        deadline = _Deadline(self._timeout)
        request = cast("Request", self._credentials)
        answer = await self._exchange(request, deadline, authorized=False)
        self._token = wire.token(answer, asked_at)
        return self._token


def _proof(
    code: str | None, challenge_id: str | None, credential: Mapping[str, object] | None
) -> dict[str, object]:
    """What the user proves themselves by: a code, or a passkey's answer."""
    return {"code": code, "challenge_id": challenge_id, "credential": credential}


def _awaited(
    operation: Callable[Concatenate[_Operations, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[AsyncCandado, P], Coroutine[Any, Any, T]]:
    @functools.wraps(operation)
    async def call(self: AsyncCandado, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await operation(self._operations, *args, **kwargs)
        except CandadoError as error:
            # A traceback that ends at the caller's line, and not six frames further down.
            raise error.with_traceback(None) from error.__cause__

    return call


class AsyncCandado:
    """A client of the service for asyncio. Make one and keep it.

    It holds the access token for all its calls, which may run in parallel. Every method raises a
    ``CandadoError`` for what the service refuses. ``timeout`` is what one call may take altogether,
    with the token it may need and every retry. ``api_key`` comes in the place of id and secret.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 15.0,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        address = wire.address(base_url)
        credentials = wire.credentials(client_id, client_secret, api_key)
        self._io = _AsyncIO(address, http_client)
        self._operations = _Operations(self._io, credentials, timeout)

    @classmethod
    def from_env(
        cls, *, timeout: float = 15.0, http_client: httpx.AsyncClient | None = None
    ) -> Self:
        """A client made of ``CANDADO_URL`` and ``CANDADO_API_KEY``.

        Where that key is not set, of ``CANDADO_CLIENT_ID`` and ``CANDADO_CLIENT_SECRET``.
        """
        url, client_id, client_secret, api_key = wire.environment(os.environ)
        return cls(
            url,
            client_id,
            client_secret,
            api_key=api_key,
            timeout=timeout,
            http_client=http_client,
        )

    register = _awaited(_Operations.register)
    renew = _awaited(_Operations.renew)
    verify = _awaited(_Operations.verify)
    verify_passkey = _awaited(_Operations.verify_passkey)
    factors = _awaited(_Operations.factors)
    add_factor = _awaited(_Operations.add_factor)
    rename_factor = _awaited(_Operations.rename_factor)
    remove_factor = _awaited(_Operations.remove_factor)
    passkey_options = _awaited(_Operations.passkey_options)
    register_passkey = _awaited(_Operations.register_passkey)
    passkey_challenge = _awaited(_Operations.passkey_challenge)
    check_trusted_device = _awaited(_Operations.check_trusted_device)
    trusted_devices = _awaited(_Operations.trusted_devices)
    forget_trusted_devices = _awaited(_Operations.forget_trusted_devices)
    send_sms = _awaited(_Operations.send_sms)
    send_email = _awaited(_Operations.send_email)
    generate_code = _awaited(_Operations.generate_code)
    recover = _awaited(_Operations.recover)
    recovery_codes = _awaited(_Operations.recovery_codes)
    status = _awaited(_Operations.status)
    create_session = _awaited(_Operations.create_session)
    get_session_result = _awaited(_Operations.get_session_result)
    set_contact = _awaited(_Operations.set_contact)
    disable = _awaited(_Operations.disable)
    delete_user = _awaited(_Operations.delete_user)
    import_factor = _awaited(_Operations.import_factor)
    test_messages = _awaited(_Operations.test_messages)
    advance_test_clock = _awaited(_Operations.advance_test_clock)
    revoke_token = _awaited(_Operations.revoke_token)

    async def aclose(self) -> None:
        """Close the connections, unless they are those of an ``http_client`` given."""
        await self._io.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _blocking(
    operation: Callable[Concatenate[_Operations, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Candado, P], T]:
    @functools.wraps(operation)
    def call(self: Candado, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return _run(operation(self._operations, *args, **kwargs))
        except CandadoError as error:
            raise error.with_traceback(None) from error.__cause__

    return call


class Candado:
    """A client of the service. Make one and keep it.

    It holds the access token for all its calls, which may come from many threads. Every method
    raises a ``CandadoError`` for what the service refuses. ``timeout`` is what one call may take
    altogether, with the token it may need and every retry. ``api_key`` comes in the place of id and
    secret.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 15.0,
        http_client: httpx.Client | None = None,
    ) -> None:
        address = wire.address(base_url)
        credentials = wire.credentials(client_id, client_secret, api_key)
        self._io = _BlockingIO(address, http_client)
        self._operations = _Operations(self._io, credentials, timeout)

    @classmethod
    def from_env(cls, *, timeout: float = 15.0, http_client: httpx.Client | None = None) -> Self:
        """A client made of ``CANDADO_URL`` and ``CANDADO_API_KEY``.

        Where that key is not set, of ``CANDADO_CLIENT_ID`` and ``CANDADO_CLIENT_SECRET``.
        """
        url, client_id, client_secret, api_key = wire.environment(os.environ)
        return cls(
            url,
            client_id,
            client_secret,
            api_key=api_key,
            timeout=timeout,
            http_client=http_client,
        )

    register = _blocking(_Operations.register)
    renew = _blocking(_Operations.renew)
    verify = _blocking(_Operations.verify)
    verify_passkey = _blocking(_Operations.verify_passkey)
    factors = _blocking(_Operations.factors)
    add_factor = _blocking(_Operations.add_factor)
    rename_factor = _blocking(_Operations.rename_factor)
    remove_factor = _blocking(_Operations.remove_factor)
    passkey_options = _blocking(_Operations.passkey_options)
    register_passkey = _blocking(_Operations.register_passkey)
    passkey_challenge = _blocking(_Operations.passkey_challenge)
    check_trusted_device = _blocking(_Operations.check_trusted_device)
    trusted_devices = _blocking(_Operations.trusted_devices)
    forget_trusted_devices = _blocking(_Operations.forget_trusted_devices)
    send_sms = _blocking(_Operations.send_sms)
    send_email = _blocking(_Operations.send_email)
    generate_code = _blocking(_Operations.generate_code)
    recover = _blocking(_Operations.recover)
    recovery_codes = _blocking(_Operations.recovery_codes)
    status = _blocking(_Operations.status)
    create_session = _blocking(_Operations.create_session)
    get_session_result = _blocking(_Operations.get_session_result)
    set_contact = _blocking(_Operations.set_contact)
    disable = _blocking(_Operations.disable)
    delete_user = _blocking(_Operations.delete_user)
    import_factor = _blocking(_Operations.import_factor)
    test_messages = _blocking(_Operations.test_messages)
    advance_test_clock = _blocking(_Operations.advance_test_clock)
    revoke_token = _blocking(_Operations.revoke_token)

    def close(self) -> None:
        """Close the connections, unless they are those of an ``http_client`` given."""
        self._io.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that blocks where others would wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    coroutine.close()
    raise RuntimeError("a blocking operation waited")


class _HttpxIO(ABC):
    """Requests and answers in httpx's terms."""

    def __init__(self, base_url: str, client: httpx.Client | httpx.AsyncClient) -> None:
        self._base_url = base_url
        self._build = client.build_request

    @abstractmethod
    async def _answer(self, request: httpx.Request) -> httpx.Response: ...

    async def send(self, request: Request, token: str | None, timeout: float) -> Response:
        headers = {"Accept": "application/json"}
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = self._base_url + request.path
        built = self._build(
            request.method,
            url,
            params=request.query,
            json=request.body,
            headers=headers,
            timeout=timeout,
        )
        try:
            answer = await self._answer(built)
        except httpx.TimeoutException as error:
            raise _timeout() from _alone(error)
        except httpx.RequestError as error:
            message = f"The service is out of reach: {error}"
            raise UnavailableError(0, "unreachable", message) from _alone(error)
        return Response(answer.status_code, answer.headers, answer.content)


def _alone(error: httpx.RequestError) -> httpx.RequestError:
    """Without the errors it was made of and the frames of three libraries, which bury it."""
    error.__cause__ = None
    error.__suppress_context__ = True
    return error.with_traceback(None)


class _BlockingIO(_HttpxIO):
    """Sends in this thread and blocks it."""

    def __init__(self, base_url: str, client: httpx.Client | None) -> None:
        self._owned = client is None
        self._client = client or httpx.Client()
        super().__init__(base_url, self._client)
        self._lock = threading.Lock()
        self._pending: Future[Token] | None = None

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        # The service does not redirect, and a secret must not follow whatever does.
        return self._client.send(request, auth=None, follow_redirects=False)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251

    async def once(
        self,
        known: Callable[[], Token | None],
        make: Callable[[], Coroutine[Any, Any, Token]],
        timeout: float,
    ) -> Token:
        with self._lock:
            # It may have come while this thread was on its way here.
            if (token := known()) is not None:
                return token
            others, own = self._pending, Future[Token]()
            if others is None:
                self._pending = own
        if others is not None:
            return _settled(others, timeout)
        try:
            token = await make()
        except BaseException as error:
            own.set_exception(error)
            raise
        else:
            own.set_result(token)
            return token
        finally:
            with self._lock:
                self._pending = None

    def close(self) -> None:
        if self._owned:
            self._client.close()


def _settled(pending: Future[Token], timeout: float) -> Token:
    """What another thread gets, which has a timeout of its own."""
    wait([pending], timeout)
    if not pending.done():
        raise _timeout()
    return pending.result()


class _AsyncIO(_HttpxIO):
    """Sends and waits within asyncio."""

    def __init__(self, base_url: str, client: httpx.AsyncClient | None) -> None:
        self._owned = client is None
        self._client = client or httpx.AsyncClient()
        super().__init__(base_url, self._client)
        self._pending: asyncio.Task[Token] | None = None

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, auth=None, follow_redirects=False)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def once(
        self,
        known: Callable[[], Token | None],  # noqa: ARG002 - nothing came since it was asked
        make: Callable[[], Coroutine[Any, Any, Token]],
        timeout: float,
    ) -> Token:
        if self._pending is None:
            self._pending = asyncio.create_task(make())
            self._pending.add_done_callback(self._forget)
        pending = self._pending
        # A task that gives up does not take it away from the others.
        await asyncio.wait([pending], timeout=timeout)
        if not pending.done():
            raise _timeout()
        return pending.result()

    def _forget(self, done: asyncio.Task[Token]) -> None:
        self._pending = None
        if not done.cancelled():
            # Whoever waited has it; if all gave up, it is nobody's.
            done.exception()

    async def close(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
        if self._owned:
            await self._client.aclose()
