"""The state file beside the CSV file: which users are done, so that the next run goes on there."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, TextIO

from ._files import private_file
from ._rows import FileError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self


class Mark(Enum):
    STARTED = "started"
    """Asked for. Without a later mark nobody knows whether it was done."""
    DONE = "done"
    REFUSED = "refused"


class Journal:
    """One line of JSON for each mark; a user's last one holds. No secret is in it."""

    def __init__(self, path: Path, target: dict[str, str]) -> None:
        """``target`` is where the rows go: what is done there is not done elsewhere."""
        self.marks: dict[str, Mark] = {}
        self._path = path
        self._target = target
        self._file: TextIO | None = None
        if path.exists() and path.stat().st_size > 0:
            self._load(path.read_text(encoding="utf-8").splitlines())

    def _load(self, lines: list[str]) -> None:
        try:
            # A line without its end was being written when the run was killed.
            target, *marks = (json.loads(line) for line in lines if line.endswith("}"))
            there = f"{target['client_id']} at {target['url']}"
            for entry in marks:
                [(mark, user_id)] = entry.items()
                self.marks[user_id] = Mark(mark)
        except (ValueError, AttributeError, KeyError, TypeError):
            raise FileError(f"cannot use {self._path}, no state file of candado-import") from None
        if target != self._target:
            raise FileError(f"is imported for {there} in {self._path}; name another with --state")

    def __enter__(self) -> Self:
        self._file = private_file(self._path, "a")
        if self._file.tell() == 0:
            self._write(self._target)
        else:
            self._file.write("\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def mark(self, user_id: str, mark: Mark) -> None:
        self.marks[user_id] = mark
        self._write({mark.value: user_id})

    def _write(self, entry: dict[str, str]) -> None:
        if self._file is None:
            raise ValueError("the journal is not open")
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
