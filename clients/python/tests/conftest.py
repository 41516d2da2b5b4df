from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from service import Client, Service

from candado import AsyncCandado, Candado

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """The test's own time, which sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        if seconds:
            self.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for the clients, not for asyncio's loop, which took its own before."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep_async)
    return clock


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(params=[Candado, AsyncCandado], ids=["blocking", "asyncio"])
def client(request: pytest.FixtureRequest, service: Service) -> Iterator[Client]:
    client = Client(service, request.param)
    yield client
    client.end()
