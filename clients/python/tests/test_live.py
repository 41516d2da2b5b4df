"""Against a running service: CANDADO_URL=http://localhost:8787 pytest"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pyotp
import pytest

from candado import Accepted, AsyncCandado, Candado, CandadoError, Refused, importing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = os.environ.get("CANDADO_URL", "")
CREDENTIALS = ("app123", "secret123")

pytestmark = pytest.mark.skipif(
    not URL, reason="CANDADO_URL is not set: nothing was tried against a running service"
)

DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@pytest.fixture
def mfa() -> Iterator[Candado]:
    with Candado(URL, *CREDENTIALS) as mfa:
        yield mfa


@pytest.fixture
def user(mfa: Candado) -> Iterator[str]:
    user = new_user()
    yield user
    if mfa.status(user).state != "none":
        mfa.delete_user(user)


def new_user() -> str:
    return f"py-{uuid.uuid4()}"


def new_phone() -> str:
    """Another number each time: the service counts messages to one and to those like it."""
    return f"+346{random.randrange(10_000_000, 100_000_000)}"  # noqa: S311


def code(
    secret: str, *, algorithm: str = "SHA1", digits: int = 6, period: int = 30, ahead: int = 0
) -> str:
    """The code ``ahead`` steps from now.

    The service takes the next one too, so no test waits for a new one.
    """
    totp = pyotp.TOTP(secret, digits=digits, digest=DIGESTS[algorithm], interval=period)
    return totp.at(int(time.time()), counter_offset=ahead)


def test_binds_an_authenticator_app_and_logs_in(mfa: Candado, user: str) -> None:
    assert mfa.status(user).state == "none"
    enrolment = mfa.register(user, email="ann@example.com", account_name="Ann")
    assert enrolment.state == "pending"
    parsed = pyotp.parse_uri(enrolment.otpauth_url)
    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.secret == enrolment.secret
    assert httpx.get(enrolment.qr_code_url).headers["Content-Type"] == "image/png"

    first = code(enrolment.secret)
    assert mfa.verify(user, f"{first[:3]} {first[3:]}") == Accepted("totp")
    again = mfa.verify(user, first)
    assert isinstance(again, Refused)
    assert again.reason == "code_already_used"
    assert again.retry_after
    assert mfa.verify(user, code(enrolment.secret, ahead=1)).ok

    wrong = mfa.verify(user, code(enrolment.secret, ahead=10))
    assert isinstance(wrong, Refused)
    assert wrong.reason == "invalid_code"
    assert wrong.attempts_remaining
    assert mfa.verify(user, "abc") == Refused("invalid_code")
    status = mfa.status(user)
    assert (status.mfa_enabled, status.methods) == (True, ["totp", "email"])
    assert status.last_verified_at == pytest.approx(time.time(), abs=60)


def test_locks_a_user_after_too_many_wrong_codes(mfa: Candado, user: str) -> None:
    wrong = code(mfa.register(user, confirm=False).secret, ahead=10)
    results = [mfa.verify(user, wrong) for _ in range(12)]
    last = results[-1]
    assert isinstance(last, Refused)
    assert last.reason == "locked"
    assert last.retry_after


def test_sends_generates_and_recovers(mfa: Candado, user: str) -> None:
    enrolment = mfa.register(user, confirm=False, email=f"{user}@example.com")
    assert "@" in mfa.send_email(user, locale="es").destination
    with pytest.raises(CandadoError) as limited:
        mfa.send_email(user)
    assert limited.value.code == "send_limited"
    assert limited.value.retry_after
    with pytest.raises(CandadoError) as missing:
        mfa.send_sms(user)
    assert (missing.value.status, missing.value.code) == (422, "destination_missing")
    contact = mfa.set_contact(user, email=None, phone=new_phone())
    assert contact.email is None
    assert contact.phone
    assert contact.phone.startswith("+34•")
    assert mfa.send_sms(user).expires_in > 0

    generated = mfa.generate(user)
    assert mfa.verify(user, generated.code, method="generated") == Accepted("generated")
    codes = mfa.recovery_codes(user).recovery_codes
    assert len(codes) == 10
    assert mfa.verify(user, codes[0]) == Accepted("recovery_code")
    assert mfa.status(user).recovery_codes_remaining == 9

    renewed = mfa.renew(user)
    assert mfa.verify(user, code(renewed.secret)).ok
    assert not mfa.verify(user, code(enrolment.secret)).ok
    mfa.disable(user)
    assert not mfa.status(user).mfa_enabled


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("digits", [6, 8])
@pytest.mark.parametrize("period", [30, 60])
def test_imports_secrets_made_by_pyotp(
    mfa: Candado, user: str, algorithm: str, digits: int, period: int
) -> None:
    secret = pyotp.random_base32()
    parameters: dict[str, Any] = {"algorithm": algorithm, "digits": digits, "period": period}
    mfa.import_factor(user, secret=secret, **parameters)
    assert mfa.verify(user, code(secret, **parameters)) == Accepted("totp")
    with pytest.raises(CandadoError, match="already_registered"):
        mfa.import_factor(user, secret=secret)

    other = new_user()
    totp = pyotp.TOTP(secret, digits=digits, digest=DIGESTS[algorithm], interval=period)
    url = totp.provisioning_uri(name="ann@x.io", issuer_name="Shop & Co")
    mfa.import_factor(other, otpauth_url=url)
    assert mfa.verify(other, totp.now()) == Accepted("totp")
    mfa.delete_user(other)


def test_refuses_to_import_a_short_secret(mfa: Candado, user: str) -> None:
    with pytest.raises(CandadoError) as caught:
        mfa.import_factor(user, secret="JBSWY3DP")
    assert (caught.value.code, caught.value.field) == ("invalid_request", "secret")


def test_the_command_imports_a_file(
    mfa: Candado,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CANDADO_URL", URL)
    monkeypatch.setenv("CANDADO_CLIENT_ID", CREDENTIALS[0])
    monkeypatch.setenv("CANDADO_CLIENT_SECRET", CREDENTIALS[1])
    secrets = {new_user(): pyotp.random_base32() for _ in range(20)}
    there, secret = new_user(), pyotp.random_base32()
    mfa.register(there, confirm=False)
    file = tmp_path / "users.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["user_id", "secret", "account_name", "email"])
        writer.writerows(
            [user, secret, "Ann", "ann@example.com"] for user, secret in secrets.items()
        )
        writer.writerow([there, secret, "", ""])

    assert importing.main([str(file)]) == 1
    assert "20 imported, 0 by an earlier run" in capsys.readouterr().out
    report = (tmp_path / "users.csv.refused.csv").read_text()
    assert f"22,{there},already_registered" in report
    assert secret not in report
    for user, secret in secrets.items():
        assert mfa.verify(user, code(secret)).ok
    mfa.delete_user(there)
    assert importing.main([str(file)]) == 0
    assert "1 imported, 20 by an earlier run" in capsys.readouterr().out
    for user in [*secrets, there]:
        mfa.delete_user(user)


def test_works_within_asyncio() -> None:
    async def run() -> None:
        async with AsyncCandado(URL, *CREDENTIALS) as mfa:
            users = [new_user() for _ in range(5)]
            enrolments = await asyncio.gather(
                *(mfa.register(user, confirm=False) for user in users)
            )
            for user, enrolment in zip(users, enrolments, strict=True):
                assert (await mfa.verify(user, code(enrolment.secret))).ok
                await mfa.delete_user(user)
                assert (await mfa.status(user)).state == "none"

    asyncio.run(run())


def test_gets_a_new_token_when_its_own_is_revoked_elsewhere() -> None:
    tokens: list[str] = []

    def note(request: httpx.Request) -> None:
        tokens.append(request.headers.get("Authorization", "").removeprefix("Bearer "))

    with (
        httpx.Client(event_hooks={"request": [note]}) as http_client,
        Candado(URL, *CREDENTIALS, http_client=http_client) as mfa,
    ):
        mfa.status("u")
        httpx.post(f"{URL}/auth/revoke", json={"access_token": tokens[-1]})
        assert mfa.status("u").state == "none"
        assert len(set(filter(None, tokens))) == 2
        mfa.revoke()


def test_refuses_wrong_credentials() -> None:
    with Candado(URL, "app123", "wrong") as mfa, pytest.raises(CandadoError) as caught:
        mfa.status("u")
    assert (caught.value.status, caught.value.code) == (401, "invalid_client")
