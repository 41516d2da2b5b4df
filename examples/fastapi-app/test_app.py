"""The whole way against a running Candado (CANDADO_URL), with the codes of an independent library."""

import time
import uuid

import httpx
import pyotp
import pytest
from fastapi.testclient import TestClient

from app import app

PASSWORD = "four quiet green meadows"


@pytest.fixture
def person():
    with TestClient(app) as client:
        client.name = f"ann-{uuid.uuid4().hex[:8]}"
        answer = client.post("/signup", json={"name": client.name, "password": PASSWORD})
        assert answer.status_code == 201
        yield client


def log_in(client: TestClient) -> str:
    client.post("/logout")
    answer = client.post("/login", json={"name": client.name, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.json()["next"]


def turn_on(client: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    enrolled = client.post("/mfa").json()
    picture = httpx.get(enrolled["qr_code_url"])
    assert picture.headers["content-type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    totp = pyotp.parse_uri(enrolled["otpauth_url"])
    assert totp.secret == enrolled["secret"]
    confirmed = client.post("/mfa/confirm", json={"code": totp.now()})
    assert confirmed.status_code == 200, confirmed.text
    return totp, confirmed.json()["recovery_codes"]


def next_code(totp: pyotp.TOTP) -> str:
    """The code after the one that confirmed, as a clock that runs a little ahead shows it."""
    return totp.at(int(time.time()) + totp.interval)


def wrong_code(totp: pyotp.TOTP) -> str:
    now = int(time.time())
    right = {totp.at(now + steps * totp.interval) for steps in range(-2, 3)}
    return next(code for code in ("111111", "222222", "333333", "444444", "555555", "666666") if code not in right)


def test_without_a_second_step_the_password_is_enough(person):
    assert log_in(person) == "done"
    me = person.get("/me").json()
    assert (me["name"], me["mfa"]["mfa_enabled"]) == (person.name, False)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(person):
    answers = [
        person.post("/login", json={"name": name, "password": "not the password"}) for name in (person.name, "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_the_second_step(person):
    totp, recovery_codes = turn_on(person)
    assert len(set(recovery_codes)) == 10
    assert log_in(person) == "code"
    assert person.get("/me").status_code == 401

    wrong = person.post("/login/code", json={"code": wrong_code(totp)})
    assert (wrong.status_code, wrong.json()["detail"]["error"]) == (400, "invalid_code")
    assert wrong.json()["detail"]["attempts_remaining"] == 4

    code = next_code(totp)
    assert person.post("/login/code", json={"code": code}).status_code == 200
    assert person.get("/me").json()["mfa"]["mfa_enabled"] is True

    assert log_in(person) == "code"
    again = person.post("/login/code", json={"code": code})
    assert (again.status_code, again.json()["detail"]["error"]) == (400, "code_already_used")
    assert 0 < int(again.headers["retry-after"]) <= 60


def test_a_recovery_code_signs_in_once_and_another_turns_it_off(person):
    _, recovery_codes = turn_on(person)
    assert log_in(person) == "code"
    assert person.post("/login/code", json={"code": recovery_codes[0]}).status_code == 200
    assert person.get("/me").json()["mfa"]["recovery_codes_remaining"] == 9
    proof = {"code": recovery_codes[0], "password": PASSWORD}
    assert person.post("/mfa/off", json=proof).json()["detail"]["error"] == "invalid_code"
    assert person.post("/mfa/off", json=proof | {"password": "not the password"}).status_code == 403
    assert person.post("/mfa/off", json=proof | {"code": recovery_codes[1]}).status_code == 200
    assert log_in(person) == "done"


def test_five_wrong_codes_lock_and_say_for_how_long(person):
    totp, _ = turn_on(person)
    log_in(person)
    wrong = wrong_code(totp)
    for left in (4, 3, 2, 1, 0):
        assert person.post("/login/code", json={"code": wrong}).json()["detail"]["attempts_remaining"] == left
    locked = person.post("/login/code", json={"code": next_code(totp)})
    assert (locked.status_code, locked.json()["detail"]["error"]) == (429, "locked")
    assert 0 < int(locked.headers["retry-after"]) <= 60
