"""The rows of a CSV file with TOTP secrets: read, checked, never shown."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUIRED = "user_id"
SECRETS = ("secret", "otpauth_url")
PARAMETERS = ("algorithm", "digits", "period")
COLUMNS = (REQUIRED, *SECRETS, *PARAMETERS, "account_name", "email", "phone")

ALGORITHMS = ("SHA1", "SHA256", "SHA512")
DIGITS = ("6", "8")
PERIODS = ("30", "60")
SECRET_BYTES = range(16, 64 + 1)

USER_ID = re.compile(r"[!-~]{1,128}")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class FileError(Exception):
    """The file as a whole cannot be imported."""


class RowError(Exception):
    """A row cannot be imported. Says what is wrong without what is there."""

    def __init__(self, field_name: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field_name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    user_id: str
    fields: dict[str, Any] = field(repr=False)
    """What ``import_factor`` takes beside the user."""


@dataclass(frozen=True, slots=True)
class Refusal:
    line: int
    user_id: str
    """Empty if it is what is wrong."""
    error: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    rows: list[Row]
    refused: list[Refusal]
    ignored_columns: list[str]


def read(path: Path) -> Sheet:
    """Reads and checks the whole file; a user's second row is refused."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(file)
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileError("is not UTF-8") from None
    except csv.Error as error:
        raise FileError(f"is not CSV: {error}") from None


def _read(file: Iterator[str]) -> Sheet:
    header_line = next(file, "")
    # Spreadsheets write semicolons where the comma is the decimal point.
    delimiter = ";" if ";" in header_line and "," not in header_line else ","
    columns = [
        name.strip().lower() for name in next(csv.reader([header_line], delimiter=delimiter), [])
    ]
    if REQUIRED not in columns or not set(SECRETS) & set(columns):
        raise FileError("needs the columns user_id and secret or otpauth_url in its first line")
    if len(set(columns)) < len(columns):
        raise FileError("has two columns of one name")

    sheet = Sheet([], [], [name for name in columns if name not in COLUMNS])
    lines: dict[str, int] = {}
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 2
    for cells in reader:
        if any(cell.strip() for cell in cells):
            _add(sheet, lines, line, columns, cells)
        line = reader.line_num + 2
    return sheet


def _add(
    sheet: Sheet, lines: dict[str, int], line: int, columns: list[str], cells: list[str]
) -> None:
    user_id = ""
    try:
        if len(cells) != len(columns):
            raise RowError(None, f"{len(cells)} cells, not {len(columns)}")
        values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
        if not USER_ID.fullmatch(values[REQUIRED]):
            raise RowError(REQUIRED, "1 to 128 printable ASCII characters without space")
        user_id = values[REQUIRED]
        if user_id in lines:
            raise RowError(REQUIRED, f"the same as in line {lines[user_id]}")
        lines[user_id] = line
        sheet.rows.append(Row(line, user_id, _fields(values)))
    except RowError as error:
        refusal = Refusal(line, user_id, "invalid_row", error.field or "", error.reason)
        sheet.refused.append(refusal)


def _fields(values: dict[str, str]) -> dict[str, Any]:
    given = {name: values[name] for name in COLUMNS if values.get(name) and name != REQUIRED}
    if len(given.keys() & set(SECRETS)) != 1:
        raise RowError("secret", "either a secret or an otpauth URL is needed")
    if "secret" in given:
        given["secret"] = _secret("secret", given["secret"])
    else:
        written = _otpauth(given["otpauth_url"])
        for name in PARAMETERS:
            if given.pop(name, written[name]).upper() != written[name]:
                raise RowError(name, "not the one of the otpauth URL")
    fields: dict[str, Any] = dict(given)
    if "algorithm" in given:
        fields["algorithm"] = _one_of("algorithm", given["algorithm"].upper(), ALGORITHMS)
    if "digits" in given:
        fields["digits"] = int(_one_of("digits", given["digits"], DIGITS))
    if "period" in given:
        fields["period"] = int(_one_of("period", given["period"], PERIODS))
    if "phone" in given and not PHONE.fullmatch(given["phone"]):
        raise RowError("phone", "not E.164: +, country code and number, without spaces")
    if "email" in given and not EMAIL.fullmatch(given["email"]):
        raise RowError("email", "no e-mail address")
    return fields


def _secret(name: Literal["secret", "otpauth_url"], text: str) -> str:
    """The secret as the service takes it: apps show it in groups and lower case."""
    secret = re.sub(r"[\s-]", "", text).rstrip("=").upper()
    try:
        length = len(base64.b32decode(secret + "=" * (-len(secret) % 8)))
    except (binascii.Error, ValueError):
        raise RowError(name, "the secret is not base32") from None
    if length not in SECRET_BYTES:
        raise RowError(name, f"the secret has {length * 8} bits; 128 to 512 are taken")
    return secret


def _otpauth(text: str) -> dict[str, str]:
    """The parameters an otpauth URL says or, by leaving them out, means."""
    name: Literal["otpauth_url"] = "otpauth_url"
    try:
        url = urlsplit(text)
        query = parse_qsl(url.query, keep_blank_values=True)
    except ValueError:
        raise RowError(name, "no otpauth URL") from None
    if url.scheme.lower() != "otpauth":
        raise RowError(name, "no otpauth URL")
    if url.netloc.lower() != "totp":
        raise RowError(name, "not of the type totp")
    said = dict(query)
    if len(said) < len(query):
        raise RowError(name, "names something twice")
    _secret(name, said.get("secret", ""))
    return {
        "algorithm": _one_of(name, said.get("algorithm", "SHA1").upper(), ALGORITHMS),
        "digits": _one_of(name, said.get("digits", "6"), DIGITS),
        "period": _one_of(name, said.get("period", "30"), PERIODS),
    }


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        about = "" if name in PARAMETERS else "has another value than "
        raise RowError(name, f"{about}{', '.join(allowed[:-1])} or {allowed[-1]}")
    return value
