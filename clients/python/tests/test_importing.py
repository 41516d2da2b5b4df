from __future__ import annotations

import base64
import csv
import functools
import json
import os
from typing import TYPE_CHECKING, Any

import httpx
import pyotp
import pytest
from service import LIMITED, SUCCESS, UNAVAILABLE, Answer, Service, failure, raises

from candado import AsyncCandado, _progress, importing

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
REGISTERED = failure(409, "already_registered")


class Run:
    """``candado-import`` on a file, against a stand-in for the service."""

    def __init__(self, service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service = service
        self.file = folder / "users.csv"
        self.report = folder / "users.csv.refused.csv"
        self.state = folder / "users.csv.state"
        monkeypatch.setenv("CANDADO_URL", "https://mfa.example.com")
        monkeypatch.setenv("CANDADO_CLIENT_ID", "app123")
        monkeypatch.setenv("CANDADO_CLIENT_SECRET", "secret123")
        client = functools.partial(
            AsyncCandado,
            http_client=httpx.AsyncClient(transport=httpx.MockTransport(service.handle_async)),
        )
        monkeypatch.setattr(importing, "AsyncCandado", client)

    def __call__(self, *options: str) -> int:
        return importing.main([str(self.file), "--parallel", "1", *options])

    def write(self, *lines: str) -> None:
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def users(self, count: int) -> None:
        self.write("user_id,secret", *(f"u{number},{SECRET}" for number in range(1, count + 1)))

    @property
    def sent(self) -> list[Any]:
        asked = self.service.asked
        return [json.loads(one.content) for one in asked if one.url.path == "/mfa/import"]

    @property
    def sent_users(self) -> list[str]:
        return [body["user_id"] for body in self.sent]

    @property
    def refused(self) -> list[tuple[str, str, str, str]]:
        with self.report.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [(row["line"], row["user_id"], row["error"], row["field"]) for row in rows]


@pytest.fixture
def run(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(service, tmp_path, monkeypatch)


class TestRows:
    def test_are_sent_as_the_service_takes_them(self, run: Run) -> None:
        url = pyotp.TOTP(SECRET, digits=8).provisioning_uri(name="ann@x.io", issuer_name="Shop")
        run.write(
            "\ufeffuser_id,Secret,otpauth_url,algorithm,digits,period,account_name,email,phone,note",
            f"u1,{SECRET},,,,,,,,x",
            "u2,jbsw y3dp-ehpk 3pxp jbsw y3dp ehpk 3pxp==,,sha256,8,60,Ann,ann@x.io,+34600111222,",
            "",
            f'u3,,"{url}",,8,,,,,"two',
            'lines"',
        )
        run.service.answers = [SUCCESS] * 3
        assert run() == 0
        assert run.sent == [
            {"user_id": "u1", "secret": SECRET},
            {
                "user_id": "u2",
                "secret": SECRET,
                "algorithm": "SHA256",
                "digits": 8,
                "period": 60,
                "account_name": "Ann",
                "email": "ann@x.io",
                "phone": "+34600111222",
            },
            {"user_id": "u3", "otpauth_url": url},
        ]
        assert not run.report.exists()

    def test_that_are_wrong_are_reported_without_their_secrets(
        self, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        short = base64.b32encode(bytes(15)).decode()
        long = base64.b32encode(bytes(65)).decode()
        hotp = pyotp.HOTP(SECRET).provisioning_uri(name="ann")
        rows = {
            f"u1,{SECRET},": ("u1", "user_id"),
            f",{SECRET},": ("", "user_id"),
            f"a b,{SECRET},": ("", "user_id"),
            "u5,,": ("u5", "secret"),
            f"u6,{SECRET},otpauth://totp/a?secret={SECRET}": ("u6", "secret"),
            f"u7,{SECRET}1!,": ("u7", "secret"),
            f"u8,{short},": ("u8", "secret"),
            f"u16,{long},": ("u16", "secret"),
            f"u9,,{hotp}": ("u9", "otpauth_url"),
            f"u10,,https://totp/a?secret={SECRET}": ("u10", "otpauth_url"),
            f"u11,,otpauth://totp/a?secret={SECRET}&digits=7": ("u11", "otpauth_url"),
            f"u12,,otpauth://totp/a?secret={SECRET}&secret={SECRET}": ("u12", "otpauth_url"),
            "u13,,otpauth://totp/a": ("u13", "otpauth_url"),
            "u14,,otpauth://[": ("u14", "otpauth_url"),
            f"u15,{SECRET}": ("", ""),
        }
        lines = [f"u1,{SECRET},", *rows]
        run.write("user_id,secret,otpauth_url", *lines)
        assert run("--dry-run") == 1
        expected = [
            (str(line), about[0], "invalid_row", about[1])
            for line, about in enumerate(rows.values(), start=3)
        ]
        assert run.refused == expected
        shown = "".join(capsys.readouterr()) + run.report.read_text()
        assert SECRET not in shown
        assert short not in shown

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("algorithm", "MD5"),
            ("digits", "7"),
            ("period", "45"),
            ("phone", "600111222"),
            ("email", "ann"),
        ],
    )
    def test_say_which_column_is_wrong(self, run: Run, column: str, value: str) -> None:
        run.write(f"user_id,secret,{column}", f"u1,{SECRET},{value}")
        assert run("--dry-run") == 1
        assert run.refused == [("2", "u1", "invalid_row", column)]

    def test_must_not_contradict_their_otpauth_url(self, run: Run) -> None:
        run.write("user_id,otpauth_url,digits", f"u1,otpauth://totp/a?secret={SECRET},8")
        assert run("--dry-run") == 1
        assert run.refused == [("2", "u1", "invalid_row", "digits")]

    def test_may_be_separated_by_semicolons(self, run: Run) -> None:
        run.write("user_id;secret", f"u1;{SECRET}")
        run.service.answers = [SUCCESS]
        assert run() == 0
        assert run.sent_users == ["u1"]


class TestFile:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "needs the columns"),
            (b"user_id,email\n", "needs the columns"),
            (b"secret\n", "needs the columns"),
            (b"user_id,secret,secret\n", "two columns"),
            (b"user_id,secret\n\xff,x\n", "not UTF-8"),
            (b'user_id,secret\nu1,"x\n', "not CSV"),
        ],
    )
    def test_that_is_none_is_refused(
        self, run: Run, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
    ) -> None:
        run.file.write_bytes(content)
        with pytest.raises(SystemExit, match="2"):
            run("--dry-run")
        assert reason in capsys.readouterr().err

    def test_that_is_not_there_is_refused(self, run: Run) -> None:
        with pytest.raises(SystemExit, match="2"):
            run()

    def test_is_not_overwritten(self, run: Run) -> None:
        run.users(1)
        with pytest.raises(SystemExit, match="2"):
            run("--report", str(run.file))

    def test_is_only_checked_by_a_dry_run(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CANDADO_CLIENT_SECRET")
        run.users(3)
        assert run("--dry-run") == 0
        assert run.service.asked == []
        assert not run.state.exists()


class TestImport:
    def test_reports_what_the_service_refuses(
        self, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.users(3)
        run.service.answers = [REGISTERED, failure(400, "invalid_request", field="email"), SUCCESS]
        assert run() == 1
        assert run.refused == [
            ("2", "u1", "already_registered", ""),
            ("3", "u2", "invalid_request", "email"),
        ]
        assert "1 imported" in capsys.readouterr().out

    def test_goes_on_where_it_ended(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        run.users(4)
        run.service.answers = [SUCCESS, REGISTERED, SUCCESS, failure(403, "client_mismatch")]
        assert run() == 2
        assert "client_mismatch" in capsys.readouterr().err
        # u2 is refused again: it was there before. u4's answer might have got lost: it is done.
        run.service.answers = [REGISTERED, REGISTERED]
        assert run() == 1
        assert run.sent_users[4:] == ["u2", "u4"]
        assert run.refused == [("3", "u2", "already_registered", "")]
        run.service.answers = [SUCCESS]
        assert run() == 0
        assert run.sent_users[6:] == ["u2"]
        assert not run.report.exists()
        assert run() == 0
        assert len(run.sent) == 7

    def test_survives_a_state_file_cut_short(self, run: Run) -> None:
        run.users(2)
        run.service.answers = [SUCCESS, SUCCESS]
        assert run() == 0
        run.state.write_text(run.state.read_text()[:-3])
        run.service.answers = [REGISTERED]
        assert run() == 0
        assert run.sent_users == ["u1", "u2", "u2"]
        assert run() == 0
        assert len(run.sent) == 3

    def test_keeps_what_is_done_at_one_service_from_another(
        self, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.users(1)
        run.service.answers = [SUCCESS]
        assert run() == 0
        with pytest.raises(SystemExit, match="2"):
            run("--url", "https://other.example.com")
        assert "https://mfa.example.com" in capsys.readouterr().err
        run.state.write_text("something else\n")
        with pytest.raises(SystemExit, match="2"):
            run()

    def test_keeps_no_secret(self, run: Run) -> None:
        run.users(1)
        run.service.answers = [SUCCESS]
        assert run() == 0
        assert SECRET not in run.state.read_text()

    def test_waits_as_long_as_it_is_asked_to(self, run: Run, clock: Clock) -> None:
        run.users(2)
        run.service.answers = [
            failure(429, "rate_limited", retry_after=90),
            UNAVAILABLE,
            SUCCESS,
            SUCCESS,
        ]
        assert run() == 0
        assert clock.slept == [90, 5]
        assert run.sent_users == ["u1", "u1", "u1", "u2"]

    def test_waits_its_turn_as_often_and_as_long_as_it_takes(self, run: Run, clock: Clock) -> None:
        run.users(1)
        run.service.answers = [failure(429, "rate_limited", retry_after=600)] * 20 + [SUCCESS]
        assert run() == 0
        assert clock.slept == [600] * 20

    def test_stops_where_the_client_is_full_and_goes_on_when_it_is_not(
        self, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.users(3)
        run.service.answers = [SUCCESS, failure(403, "account_limit_reached")]
        assert run() == 2
        assert capsys.readouterr().err.endswith(
            "Stopped: this client has as many users as its setting max_accounts allows "
            "(account_limit_reached). Have it raised. Run it again to go on where it stopped.\n"
        )
        assert not run.report.exists()
        # Nothing was done for u2: if somebody else has registered it meanwhile, it is not ours.
        run.service.answers = [REGISTERED, SUCCESS]
        assert run() == 1
        assert run.sent_users == ["u1", "u2", "u2", "u3"]
        assert run.refused == [("3", "u2", "already_registered", "")]

    def test_writes_files_for_their_owner_alone(self, run: Run) -> None:
        run.users(1)
        run.report.write_text("of an earlier run")
        run.report.chmod(0o644)
        run.service.answers = [REGISTERED]
        umask = os.umask(0)
        try:
            assert run() == 1
        finally:
            os.umask(umask)
        assert [path.stat().st_mode & 0o777 for path in (run.report, run.state)] == [0o600, 0o600]

    @pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
    def test_reports_nothing_a_spreadsheet_takes_for_a_formula(self, run: Run, begin: str) -> None:
        formula = "1+cmd|'/C'!A0"
        user = f"{begin}{formula}" if begin in "=+-@" else "u1"
        run.write("user_id,secret", f"{user},{SECRET}")
        run.service.answers = [
            failure(409, "already_registered", message=f"{begin}{formula}", field="phone")
        ]
        assert run() == 1
        with run.report.open(encoding="utf-8", newline="") as file:
            _, row = csv.reader(file)
        quoted = user if user == "u1" else f"'{user}"
        assert row == ["2", quoted, "already_registered", "phone", f"'{begin}{formula}"]

    def test_counts_a_row_as_done_whose_answer_got_lost(self, run: Run, clock: Clock) -> None:
        run.users(1)
        run.service.answers = [raises(httpx.ReadTimeout("slow")), REGISTERED]
        assert run() == 0
        assert clock.slept == [1]

    @pytest.mark.usefixtures("clock")
    def test_a_429_does_not_make_a_registered_user_ours(self, run: Run) -> None:
        run.users(1)
        run.service.answers = [LIMITED, REGISTERED]
        assert run() == 1
        assert run.refused == [("2", "u1", "already_registered", "")]

    @pytest.mark.parametrize(
        ("bad", "tries"),
        [
            (raises(httpx.ConnectError("no")), 18),
            (failure(503, "unavailable", retry_after=600), 1),
            (failure(404, "not_found"), 1),
        ],
    )
    @pytest.mark.usefixtures("clock")
    def test_stops_when_it_is_no_matter_of_a_row(self, run: Run, bad: Answer, tries: int) -> None:
        run.users(2)
        run.service.answers = [bad] * tries
        assert run() == 2
        assert run.sent_users == ["u1"] * tries

    def test_stops_when_the_credentials_are_wrong(
        self, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.users(2)
        run.service.auth_answers = [failure(401, "invalid_client")]
        assert run() == 2
        assert "invalid_client" in capsys.readouterr().err

    def test_needs_credentials(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("CANDADO_CLIENT_SECRET")
        run.users(1)
        with pytest.raises(SystemExit, match="2"):
            run()
        assert "--client-secret-file" in capsys.readouterr().err
        secret = run.file.with_name("secret")
        secret.write_text("from-a-file\n")
        run.service.answers = [SUCCESS]
        assert run("--client-secret-file", str(secret)) == 0
        assert run.service.body(0)["client_secret"] == "from-a-file"

    @pytest.mark.parametrize("rich", [True, False])
    def test_imports_many_rows_at_a_time(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, rich: bool
    ) -> None:
        monkeypatch.setattr(_progress, "HAS_RICH", rich)
        monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0)
        run.users(200)
        run.service.answers = [SUCCESS] * 200
        assert run("--parallel", "8") == 0
        assert sorted(run.sent_users) == sorted(f"u{number}" for number in range(1, 201))
        assert run.service.paths.count("/auth") == 1
