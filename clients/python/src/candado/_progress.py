"""What is seen while rows are imported: a bar by rich, or without it a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

try:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
except ImportError:  # without candado[import]
    HAS_RICH = False
else:
    HAS_RICH = True

SECONDS_BETWEEN_LINES = 5


class Bar:
    """Counts to ``total``."""

    def __init__(self, total: int) -> None:
        columns = (
            TextColumn("Importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(
            *columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True)
        )
        self._task = self._progress.add_task("", total=total, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def advance(self) -> None:
        self._progress.advance(self._task)

    def note(self, text: str) -> None:
        """Says what is going on beside the counting; nothing is an empty text."""
        self._progress.update(self._task, note=text)


class Lines:
    """Like Bar, where rich is not installed."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() >= self._next:
            print(f"{self._done} of {self._total}", file=sys.stderr)
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES

    def note(self, text: str) -> None:
        if text:
            print(text, file=sys.stderr)


def progress(total: int) -> Bar | Lines:
    return Bar(total) if HAS_RICH else Lines(total)
