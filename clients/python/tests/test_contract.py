"""The types say what docs/openapi.json says."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from candado import CandadoError
from candado import _results as results
from candado._client import _Operations

DOCUMENT = json.loads(
    (Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8")
)


def schema(path: str, *, of: str) -> dict[str, Any]:
    method, *_ = (each for each in ("post", "get", "delete") if each in DOCUMENT["paths"][path])
    operation = DOCUMENT["paths"][path][method]
    where = operation["requestBody"] if of == "request" else operation["responses"]["200"]
    return resolved(where["content"]["application/json"]["schema"])


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return found
    return schema


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        (results.Method, "Method"),
        (results.VerifyMethod, "VerifyMethod"),
        (results.RecoveryMethod, "RecoveryChannel"),
        (results.Algorithm, "Algorithm"),
        (results.Digits, "Digits"),
        (results.Period, "Period"),
        (results.Locale, "Locale"),
        (results.State, "State"),
    ],
)
def test_values(alias: object, name: str) -> None:
    assert list(get_args(alias)) == DOCUMENT["components"]["schemas"][name]["enum"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (results.Enrolment, "/mfa/register"),
        (results.Enrolment, "/mfa/renew"),
        (results.Verified, "/mfa/verify"),
        (results.SentCode, "/mfa/sms"),
        (results.SentCode, "/mfa/email"),
        (results.GeneratedCode, "/mfa/generate"),
        (results.SentRecovery, "/mfa/recovery"),
        (results.RecoveryCodes, "/mfa/recovery-codes"),
        (results.Contact, "/mfa/contact"),
        (results.Status, "/mfa/status"),
    ],
)
def test_results(kind: type, path: str) -> None:
    said = set(schema(path, of="response")["properties"]) - {"status", "message"}
    assert {field.name for field in dataclasses.fields(kind)} == said


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("register", "/mfa/register"),
        ("renew", "/mfa/renew"),
        ("verify", "/mfa/verify"),
        ("send_sms", "/mfa/sms"),
        ("send_email", "/mfa/email"),
        ("generate_code", "/mfa/generate"),
        ("recover", "/mfa/recovery"),
        ("recovery_codes", "/mfa/recovery-codes"),
        ("set_contact", "/mfa/contact"),
        ("disable", "/mfa/disable"),
        ("import_factor", "/mfa/import"),
    ],
)
def test_parameters(name: str, path: str) -> None:
    wanted = set(schema(path, of="request")["properties"]) - {"client_id"}
    taken = set(inspect.signature(getattr(_Operations, name)).parameters) - {"self"}
    if name == "recover":
        wanted = {field.replace("recovery_method", "method") for field in wanted}
    assert taken == wanted


def test_errors_carry_every_field() -> None:
    said = set(DOCUMENT["components"]["schemas"]["Error"]["properties"])
    carried = set(inspect.signature(CandadoError).parameters)
    assert said - {"error", "error_description"} <= carried
