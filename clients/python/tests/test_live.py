"""Against a running service: CANDADO_URL=http://localhost:8787 pytest"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import csv
import hashlib
import os
import random
import re
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pyotp
import pytest

from candado import (
    AsyncCandado,
    AuthenticationError,
    Candado,
    CodeRefused,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    InvalidRequestError,
    LockedError,
    RateLimitedError,
    Verified,
    importing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def refusal(mfa: Candado, user: str, typed: str) -> CodeRefused:
    with pytest.raises(CodeRefused) as caught:
        mfa.verify(user, typed)
    return caught.value


def test_binds_an_authenticator_app_and_logs_in(mfa: Candado, user: str) -> None:
    assert mfa.status(user).state == "none"
    enrolment = mfa.register(user, email="ann@example.com", account_name="Ann")
    assert enrolment.state == "pending"
    parsed = pyotp.parse_uri(enrolment.otpauth_url)
    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.secret == enrolment.secret
    assert httpx.get(enrolment.qr_code_url).headers["Content-Type"] == "image/png"

    first = code(enrolment.secret)
    assert mfa.verify(user, f"{first[:3]} {first[3:]}") == Verified("totp")
    again = refusal(mfa, user, first)
    assert again.code == "code_already_used"
    assert again.retry_after
    assert mfa.verify(user, code(enrolment.secret, ahead=1)) == Verified("totp")

    wrong = refusal(mfa, user, code(enrolment.secret, ahead=10))
    assert wrong.code == "invalid_code"
    assert (wrong.documentation_url or "").endswith("/docs/errors#invalid_code")
    status = mfa.status(user)
    assert (status.mfa_enabled, status.methods) == (True, ["totp", "email"])
    assert status.last_verified_at == pytest.approx(time.time(), abs=60)


def test_takes_a_slip_of_the_finger_for_a_wrong_code_that_is_not_counted(
    mfa: Candado, user: str
) -> None:
    secret = mfa.register(user, confirm=False).secret
    left = refusal(mfa, user, code(secret, ahead=10)).attempts_remaining
    for slip in ["12345", "", "12 34", "ABCD-EFGH", "\N{ARABIC-INDIC DIGIT ONE}23456", "a code"]:
        refused = refusal(mfa, user, slip)
        assert (refused.code, refused.attempts_remaining) == ("invalid_code", left)
    good = code(secret)
    assert mfa.verify(user, f"{good[:3]}-{good[3:]} ") == Verified("totp")


def test_locks_a_user_after_too_many_wrong_codes(mfa: Candado, user: str) -> None:
    wrong = code(mfa.register(user, confirm=False).secret, ahead=10)
    for _ in range(5):
        assert refusal(mfa, user, wrong).code == "invalid_code"
    locked = refusal(mfa, user, wrong)
    assert isinstance(locked, LockedError)
    assert locked.retry_after


def test_sends_generates_and_recovers(mfa: Candado, user: str) -> None:
    enrolment = mfa.register(user, confirm=False, email=f"{user}@example.com")
    assert "@" in mfa.send_email(user, locale="es").destination
    with pytest.raises(RateLimitedError) as limited:
        mfa.send_email(user)
    assert limited.value.code == "send_limited"
    assert limited.value.retry_after
    with pytest.raises(DeliveryError) as missing:
        mfa.send_sms(user)
    assert (missing.value.status, missing.value.code) == (422, "destination_missing")
    contact = mfa.set_contact(user, email=None, phone=new_phone())
    assert contact.email is None
    assert contact.phone
    assert contact.phone.startswith("+34•")
    assert mfa.send_sms(user).expires_in > 0

    generated = mfa.generate_code(user)
    assert mfa.verify(user, generated.code, method="generated") == Verified("generated")
    spent = refusal(mfa, user, generated.code)
    assert (spent.code, spent.retry_after) == ("code_already_used", None)
    codes = mfa.recovery_codes(user).recovery_codes
    assert len(codes) == 10
    assert mfa.verify(user, codes[0]) == Verified("recovery_code")
    assert mfa.status(user).recovery_codes_remaining == 9

    renewed = mfa.renew(user, code=codes[1], revoke_current=True)
    assert refusal(mfa, user, code(enrolment.secret)).code == "invalid_code"
    assert mfa.verify(user, code(renewed.secret)) == Verified("totp")
    mfa.disable(user)
    assert not mfa.status(user).mfa_enabled


STEP_UP = tuple(os.environ.get(f"CANDADO_STEP_UP_CLIENT_{name}", "") for name in ("ID", "SECRET"))


@pytest.mark.skipif(
    not all(STEP_UP),
    reason="CANDADO_STEP_UP_CLIENT_ID is not set: require_step_up was not tried",
)
class TestAClientThatRequiresStepUp:
    @pytest.fixture
    def mfa(self) -> Iterator[Candado]:
        with Candado(URL, *STEP_UP) as mfa:
            yield mfa

    def test_gives_the_first_recovery_codes_and_the_next_ones_for_a_code(
        self, mfa: Candado
    ) -> None:
        user = new_user()
        secret = mfa.register(user).secret
        mfa.verify(user, code(secret))
        codes = mfa.recovery_codes(user).recovery_codes
        with pytest.raises(ForbiddenError, match="step_up_required"):
            mfa.recovery_codes(user)
        others = mfa.recovery_codes(user, code=code(secret, ahead=1)).recovery_codes
        assert not set(codes) & set(others)
        with pytest.raises(ForbiddenError, match="step_up_required"):
            mfa.delete_user(user)
        mfa.delete_user(user, code=others[0])

    def test_lets_a_user_with_a_recovery_code_bind_a_new_device(self, mfa: Candado) -> None:
        user = new_user()
        mfa.verify(user, code(mfa.register(user).secret))
        codes = mfa.recovery_codes(user).recovery_codes
        with pytest.raises(CodeRefused):
            mfa.renew(user, code="12345", revoke_current=True)
        secret = mfa.renew(user, code=codes[0], revoke_current=True).secret
        assert mfa.verify(user, code(secret), method="totp") == Verified("totp")
        mfa.disable(user, code=codes[1])
        mfa.delete_user(user)


def test_the_readmes_program_does_what_it_says_however_often_it_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANDADO_URL", URL)
    monkeypatch.setenv("CANDADO_CLIENT_ID", CREDENTIALS[0])
    monkeypatch.setenv("CANDADO_CLIENT_SECRET", CREDENTIALS[1])
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE))

    names: dict[str, Any] = {}

    @contextlib.contextmanager
    def running(ahead: int) -> Iterator[None]:
        """As a user runs it, who scans the QR code and types a code of ``ahead`` steps from now."""
        names.clear()
        monkeypatch.setattr(
            "builtins.input", lambda _: code(names["enrolment"].secret, ahead=ahead)
        )
        try:
            exec(compile(program, "README.md", "exec"), names)  # noqa: S102
            yield
            names["mfa"].delete_user(names["user_id"])
        finally:
            names["mfa"].close()

    for _ in range(2):
        with running(0):
            mfa, user = names["mfa"], names["user_id"]
            said = capsys.readouterr().out
            assert f"Scan {names['enrolment'].qr_code_url}" in said
            assert "MFA is on, proved by totp" in said
            assert names["second_step"](user, "12345") == "That code is not right"
            assert names["second_step"](user, mfa.generate_code(user).code) is None
            recovery_code = mfa.recovery_codes(user).recovery_codes[0]
            assert "/qrcode/" in names["new_device"](user, recovery_code)
            mfa.set_contact(user, phone=new_phone())
            assert names["text"](user).startswith("Sent to +34")
            assert names["text"](user).startswith("Wait ")

    with running(10):
        assert "Nobody gets in with this code: invalid_code" in capsys.readouterr().out


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("digits", [6, 8])
@pytest.mark.parametrize("period", [30, 60])
def test_imports_secrets_made_by_pyotp(
    mfa: Candado, user: str, algorithm: str, digits: int, period: int
) -> None:
    secret = pyotp.random_base32()
    parameters: dict[str, Any] = {"algorithm": algorithm, "digits": digits, "period": period}
    mfa.import_factor(user, secret=secret, **parameters)
    assert mfa.verify(user, code(secret, **parameters)) == Verified("totp")
    with pytest.raises(ConflictError, match="already_registered"):
        mfa.import_factor(user, secret=secret)

    other = new_user()
    totp = pyotp.TOTP(secret, digits=digits, digest=DIGESTS[algorithm], interval=period)
    url = totp.provisioning_uri(name="ann@x.io", issuer_name="Shop & Co")
    mfa.import_factor(other, otpauth_url=url)
    assert mfa.verify(other, totp.now()) == Verified("totp")
    mfa.delete_user(other)


def test_refuses_to_import_a_short_secret(mfa: Candado, user: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
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
        assert mfa.verify(user, code(secret)) == Verified("totp")
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
                good = await mfa.verify(user, code(enrolment.secret))
                assert good == Verified("totp")
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
        mfa.revoke_token()


def test_refuses_wrong_credentials() -> None:
    with Candado(URL, "app123", "wrong") as mfa, pytest.raises(AuthenticationError) as caught:
        mfa.status("u")
    assert (caught.value.status, caught.value.code) == (401, "invalid_client")


def test_a_result_token_is_verified_by_pyjwt(mfa: Candado, user: str) -> None:
    secret = mfa.register(user, confirm=False).secret
    verified = mfa.verify(user, code(secret), result_token=True, nonce="n-1")
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{URL}/.well-known/jwks.json").json())
    assert verified.result_token is not None
    token = verified.result_token
    key = keys[jwt.get_unverified_header(token)["kid"]]

    def decode(token: str, audience: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["ES256"],
            issuer=URL,
            audience=audience,
            options={"require": ["sub", "exp", "auth_time", "jti"]},
        )
        return claims

    claims = decode(token, "app123")
    assert (claims["sub"], claims["amr"], claims["nonce"]) == (user, ["otp"], "n-1")
    with pytest.raises(jwt.InvalidAudienceError):
        decode(token, "other")
    with pytest.raises(jwt.InvalidSignatureError):
        decode(token[:-8] + "AAAAAAAA", "app123")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    with pytest.raises(jwt.InvalidAlgorithmError):
        decode(f"{unsigned}.{token.split('.')[1]}.", "app123")
    assert "result_token" not in repr(verified)
