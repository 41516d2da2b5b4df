"""Files that name users: nobody else on the machine reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from pathlib import Path


def private_file(path: Path, mode: Literal["a", "x"], *, newline: str | None = None) -> TextIO:
    """Opens a file to append to, or a new one to write; one that is made is its owner's alone."""
    return open(path, mode, encoding="utf-8", newline=newline, opener=_opener)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
