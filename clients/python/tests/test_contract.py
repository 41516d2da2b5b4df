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


def schema(path: str, *, of: str, by: str | None = None) -> dict[str, Any]:
    methods = [each for each in ("post", "get", "delete") if each in DOCUMENT["paths"][path]]
    method = by or methods[0]
    operation = DOCUMENT["paths"][path][method]
    answers = operation["responses"]
    answer = answers.get("200") or answers["201"]
    where = operation["requestBody"] if of == "request" else answer
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
        (results.SessionPurpose, "SessionPurpose"),
        (results.State, "State"),
        (results.FactorType, "FactorType"),
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
        (results.Session, "/mfa/sessions"),
        (results.SessionResult, "/mfa/sessions/result"),
        (results.Contact, "/mfa/contact"),
        (results.Status, "/mfa/status"),
        (results.Enrolment, "/mfa/factors"),
        (results.PasskeyChallenge, "/mfa/passkeys/options"),
        (results.PasskeyChallenge, "/mfa/passkeys/challenge"),
        (results.Factor, "/mfa/passkeys"),
        (results.TrustedDeviceChecked, "/mfa/trusted-devices/check"),
        (results.TestClock, "/mfa/test/clock"),
    ],
)
def test_results(kind: type, path: str) -> None:
    said = set(schema(path, of="response")["properties"]) - {"status", "message"}
    assert names(kind) == said


def names(kind: type) -> set[str]:
    return {field.metadata.get("name", field.name) for field in dataclasses.fields(kind)}


def test_listed_results() -> None:
    listed = schema("/mfa/factors", of="response", by="get")["properties"]
    assert names(results.Factors) == set(listed)
    listed = schema("/mfa/trusted-devices", of="response", by="get")["properties"]
    assert names(results.TrustedDevices) == set(listed)
    one = DOCUMENT["components"]["schemas"]["TrustedDevice"]["properties"]
    assert names(results.TrustedDevice) == set(one)


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
        ("create_session", "/mfa/sessions"),
        ("get_session_result", "/mfa/sessions/result"),
        ("set_contact", "/mfa/contact"),
        ("disable", "/mfa/disable"),
        ("import_factor", "/mfa/import"),
        ("add_factor", "/mfa/factors"),
        ("passkey_options", "/mfa/passkeys/options"),
        ("register_passkey", "/mfa/passkeys"),
        ("passkey_challenge", "/mfa/passkeys/challenge"),
        ("check_trusted_device", "/mfa/trusted-devices/check"),
        ("forget_trusted_devices", "/mfa/trusted-devices"),
    ],
)
def test_parameters(name: str, path: str) -> None:
    by = "delete" if name == "forget_trusted_devices" else "post"
    wanted = set(schema(path, of="request", by=by)["properties"]) - {"client_id"}
    taken = set(inspect.signature(getattr(_Operations, name)).parameters) - {"self"}
    if name == "verify":
        wanted -= {"challenge_id", "credential"}
    if name == "add_factor":
        wanted -= {"type"}
    if name == "recover":
        wanted = {field.replace("recovery_method", "method") for field in wanted}
    assert taken == wanted


def test_test_messages() -> None:
    said = set(DOCUMENT["components"]["schemas"]["TestMessage"]["properties"])
    assert {field.name for field in dataclasses.fields(results.TestMessage)} == said


def test_errors_carry_every_field() -> None:
    said = set(DOCUMENT["components"]["schemas"]["Error"]["properties"])
    carried = set(inspect.signature(CandadoError).parameters)
    assert said - {"error", "error_description"} <= carried
