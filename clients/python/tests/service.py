"""A stand-in for the service: answers in order, and what was asked."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx

from candado import AsyncCandado, Candado

Answer: TypeAlias = Callable[[httpx.Request], httpx.Response]

BASE_URL = "https://mfa.example.com"


def answer(status: int, body: object, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, json=body, headers={"X-Request-Id": "r1", **headers})


def failure(status: int, error: str, **more: object) -> Answer:
    headers = {"Retry-After": str(more["retry_after"])} if "retry_after" in more else {}
    body = {"status": "failure", "error": error, "message": f"About {error}", **more}
    return answer(status, body, **headers)


def token(value: str, lifetime: int = 3600) -> Answer:
    body = {"access_token": value, "token_type": "Bearer", "expires_in": lifetime}
    return answer(200, body)


def raises(error: Exception) -> Answer:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


SUCCESS = answer(200, {"status": "success", "message": "Done"})
SENT = answer(200, {"status": "success", "expires_in": 300, "destination": "+34•12"})
VERIFIED = answer(200, {"status": "success", "message": "Good", "method": "totp"})
STATUS = answer(
    200,
    {
        "mfa_enabled": True,
        "state": "active",
        "methods": ["totp"],
        "recovery_codes_remaining": 10,
        "locked_until": None,
        "added_later": 1,
    },
)
UNAUTHORIZED = failure(401, "invalid_token")
LIMITED = failure(429, "rate_limited", retry_after=1)
UNAVAILABLE = failure(503, "unavailable", retry_after=5)
IN_PROGRESS = failure(409, "request_in_progress", retry_after=1)


class Service:
    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answers: list[Answer] = []
        """Of everything but /auth."""
        self.auth_answers: list[Answer] = []
        """Of /auth, in place of tokens t1, t2, … that live an hour."""
        self._tokens = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path == "/auth":
            if self.auth_answers:
                return self.auth_answers.pop(0)(request)
            self._tokens += 1
            return token(f"t{self._tokens}")(request)
        return self.answers.pop(0)(request)

    async def handle_async(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return self.handle(request)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.asked]

    def body(self, index: int = -1) -> Any:
        content = self.asked[index].content
        return json.loads(content) if content else None


class Client:
    """Either client, so that every test holds for both: awaits what is to be awaited."""

    def __init__(self, service: Service, kind: type[Candado | AsyncCandado]) -> None:
        self.service = service
        self._kind = kind
        self._loop = asyncio.new_event_loop()
        self.mfa = self._make()

    def _make(self, timeout: float = 15.0) -> Candado | AsyncCandado:
        credentials = (BASE_URL, "app123", "secret123")
        if self._kind is Candado:
            sync = httpx.Client(transport=httpx.MockTransport(self.service.handle))
            return Candado(*credentials, timeout=timeout, http_client=sync)
        transport = httpx.MockTransport(self.service.handle_async)
        client = httpx.AsyncClient(transport=transport)
        return AsyncCandado(*credentials, timeout=timeout, http_client=client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.mfa, name)

        def call(*args: object, **kwargs: object) -> object:
            return self.run(method, *args, **kwargs)

        return call

    def run(self, method: Callable[..., Any], /, *args: object, **kwargs: object) -> object:
        result = method(*args, **kwargs)
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def end(self) -> None:
        self._loop.close()
