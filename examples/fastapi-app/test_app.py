"""The whole way against a running Candado (CANDADO_URL) and its sandbox (SANDBOX_URL), with the codes of an
independent library. It holds for a client with the setting require_step_up and for one without."""

import asyncio
import os
import random
import re
import time
import uuid

import httpx
import pyotp
import pytest
from fastapi.testclient import TestClient

from app import app, throttle
from throttle import Throttle

PASSWORD = "four quiet green meadows"
SANDBOX_URL = os.environ.get("SANDBOX_URL", "http://localhost:8026")


@pytest.fixture
def person():
    with TestClient(app) as client:
        client.name = f"ann-{uuid.uuid4().hex[:8]}"
        client.email = f"{client.name}@example.com"
        client.phone = f"+346{random.randrange(10_000_000, 100_000_000)}"
        answer = client.post("/signup", json={"name": client.name, "password": PASSWORD})
        assert answer.status_code == 201
        yield client


def log_in(client: TestClient) -> str:
    client.post("/logout")
    answer = client.post("/login", json={"name": client.name, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.json()["next"]


def scanned(enrolled: httpx.Response) -> pyotp.TOTP:
    """The authenticator app that has scanned the QR code."""
    assert enrolled.status_code == 200, enrolled.text
    shown = enrolled.json()
    picture = httpx.get(shown["qr_code_url"])
    assert picture.headers["content-type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    totp = pyotp.parse_uri(shown["otpauth_url"])
    assert totp.secret == shown["secret"]
    return totp


def turn_on(client: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    totp = scanned(client.post("/mfa", json={"email": client.email, "phone": client.phone}))
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


def message_to(destination: str) -> str:
    channel = "email" if "@" in destination else "sms"
    [message] = httpx.get(f"{SANDBOX_URL}/messages", params={"channel": channel, "to": destination}).json()
    return re.search(r"(?<!\d)\d{8}(?!\d)", message["text"]).group()


def refusal(answer: httpx.Response) -> str:
    return answer.json()["detail"]["error"]


def test_without_a_second_step_the_password_is_enough(person):
    assert log_in(person) == "done"
    me = person.get("/me").json()
    assert (me["name"], me["mfa"]["mfa_enabled"]) == (person.name, False)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(person):
    answers = [
        person.post("/login", json={"name": name, "password": "not the password"})
        for name in (person.name, f"nobody-{uuid.uuid4()}")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_the_second_step(person):
    totp, recovery_codes = turn_on(person)
    assert len(set(recovery_codes)) == 10
    assert log_in(person) == "code"
    for path in ("/me", "/mfa/move"):
        assert person.request("GET" if path == "/me" else "POST", path, json={"code": "123456"}).status_code == 401

    wrong = person.post("/login/code", json={"code": wrong_code(totp)})
    assert (wrong.status_code, refusal(wrong)) == (400, "invalid_code")
    assert wrong.json()["detail"]["attempts_remaining"] == 4

    code = next_code(totp)
    assert person.post("/login/code", json={"code": f"{code[:3]} {code[3:]}"}).status_code == 200
    assert person.get("/me").json()["mfa"]["mfa_enabled"] is True

    assert log_in(person) == "code"
    again = person.post("/login/code", json={"code": code})
    assert (again.status_code, refusal(again)) == (400, "code_already_used")
    assert 0 < int(again.headers["retry-after"]) <= 60


@pytest.mark.parametrize("slip", ["12345", "123 45", "", "7QDP-9T2M", "a code", "1234567"])
def test_a_slip_of_the_finger_is_a_wrong_code_and_costs_no_try(person, slip):
    turn_on(person)
    log_in(person)
    for path in ("/login/code", "/login/lost/code"):
        answer = person.post(path, json={"code": slip})
        assert (answer.status_code, refusal(answer)) == (400, "invalid_code")
        assert answer.json()["detail"].get("attempts_remaining", 5) == 5


def test_a_recovery_code_signs_in_once_and_another_turns_it_off(person):
    _, recovery_codes = turn_on(person)
    assert log_in(person) == "code"
    assert person.post("/login/code", json={"code": recovery_codes[0]}).status_code == 200
    assert person.get("/me").json()["mfa"]["recovery_codes_remaining"] == 9
    proof = {"code": recovery_codes[0], "password": PASSWORD}
    assert refusal(person.post("/mfa/off", json=proof)) == "code_already_used"
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
    assert (locked.status_code, refusal(locked)) == (429, "locked")
    assert 0 < int(locked.headers["retry-after"]) <= 60


def test_new_recovery_codes_for_a_code(person):
    totp, recovery_codes = turn_on(person)
    assert refusal(person.post("/mfa/recovery-codes", json={"code": wrong_code(totp)})) == "invalid_code"
    answer = person.post("/mfa/recovery-codes", json={"code": next_code(totp)})
    assert not set(answer.json()["recovery_codes"]) & set(recovery_codes)
    log_in(person)
    assert refusal(person.post("/login/code", json={"code": recovery_codes[0]})) == "invalid_code"


def test_another_device_for_a_code_and_the_old_one_confirms_nothing(person):
    old, recovery_codes = turn_on(person)
    assert refusal(person.post("/mfa/move", json={"code": wrong_code(old)})) == "invalid_code"
    new = scanned(person.post("/mfa/move", json={"code": recovery_codes[0]}))
    assert refusal(person.post("/mfa/confirm", json={"code": next_code(old)})) == "code_of_the_old_device"
    assert person.post("/mfa/confirm", json={"code": new.now()}).json() == {"recovery_codes": None}
    log_in(person)
    assert person.post("/login/code", json={"code": next_code(new)}).status_code == 200


@pytest.mark.parametrize("by", ["recovery_code", "email", "sms"])
def test_a_lost_device_is_replaced_by_a_recovery_code_or_message(person, by):
    lost, recovery_codes = turn_on(person)
    log_in(person)
    assert refusal(person.post("/login/lost/code", json={"code": next_code(lost)})) == "invalid_code"
    if by == "recovery_code":
        code = recovery_codes[0].lower()
    else:
        assert person.post("/login/lost", json={"by": by}).status_code == 202
        code = message_to(person.email if by == "email" else person.phone)
        # The code of a recovery message signs nobody in.
        assert refusal(person.post("/login/code", json={"code": code})) == "invalid_code"
    new = scanned(person.post("/login/lost/code", json={"code": code}))
    assert person.get("/me").status_code == 401
    assert refusal(person.post("/mfa/confirm", json={"code": next_code(lost)})) == "invalid_code"
    assert person.post("/mfa/confirm", json={"code": new.now()}).status_code == 200
    assert person.get("/me").status_code == 200
    log_in(person)
    assert person.post("/login/code", json={"code": next_code(new)}).status_code == 200


def test_logging_out_ends_the_session_on_the_server(person):
    stolen = person.cookies["session"]
    assert person.get("/me").status_code == 200
    person.post("/logout")
    person.cookies.set("session", stolen)
    assert person.get("/me").status_code == 401


def test_whoever_else_is_signed_in_is_out_when_a_device_is_bound(person):
    with TestClient(app) as other:
        other.post("/login", json={"name": person.name, "password": PASSWORD})
        assert other.get("/me").status_code == 200
        turn_on(person)
        assert other.get("/me").status_code == 401


@pytest.mark.parametrize("path", ["/login", "/mfa/off"])
def test_of_fifty_wrong_passwords_at_the_same_moment_five_are_looked_at(person, path):
    body = {"name": person.name, "password": "not the password", "code": "123456"}
    looked_at = 401 if path == "/login" else 403

    async def attack() -> list[int]:
        transport = httpx.ASGITransport(app)
        cookies = {"session": person.cookies["session"]}
        async with httpx.AsyncClient(transport=transport, base_url="http://app", cookies=cookies) as client:
            answers = await asyncio.gather(*(client.post(path, json=body) for _ in range(50)))
        return [answer.status_code for answer in answers]

    answers = asyncio.run(attack())
    assert {status: answers.count(status) for status in set(answers)} == {looked_at: 5, 429: 45}
    waits = person.post("/login", json=body | {"password": PASSWORD})
    assert (waits.status_code, 0 < int(waits.headers["retry-after"]) <= 30) == (429, True)
    throttle.take_back(person.name)
    assert log_in(person) == "done"


def test_ten_thousand_other_names_free_none_that_has_to_wait_and_a_day_does():
    now = 1000.0
    tries = Throttle(clock=lambda: now)
    assert [tries.count("ann") for _ in range(7)] == [0, 0, 0, 0, 0, 30, 30]
    for number in range(10_000):
        tries.count(f"somebody-{number}")
    now += 29
    assert tries.count("ann") == 1
    now += 2
    assert [tries.count("ann") for _ in range(2)] == [0, 60]
    now += 25 * 3600
    assert [tries.count("ann") for _ in range(5)] == [0] * 5
    assert len(tries._tries) == 1
