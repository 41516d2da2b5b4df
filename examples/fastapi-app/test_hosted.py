"""The variant with the hosted page. Candado's part is played by a few lines."""

import uuid
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

import hosted

PASSWORD = "four quiet green meadows"
PAGE = "https://mfa.example.com/session#s.t"


@pytest.fixture
def person(monkeypatch):
    client = TestClient(hosted.app, follow_redirects=False)
    client.begun = {}
    client.result = None

    def create_session(user_id, **options):
        client.begun = {"user_id": user_id, **options}
        return SimpleNamespace(url=PAGE)

    played = SimpleNamespace(
        status=lambda _: SimpleNamespace(mfa_enabled=True),
        create_session=create_session,
        get_session_result=lambda code: client.result,
    )
    monkeypatch.setattr(hosted, "mfa", played)
    client.login = {"name": f"ann-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    assert client.post("/signup", json=client.login).status_code == 201
    return client


def at_the_page(client) -> str:
    assert client.post("/login", json=client.login).headers["location"] == "/login/confirm"
    assert client.get("/login/confirm").headers["location"] == PAGE
    client.result = SimpleNamespace(user_id=client.begun["user_id"], purpose="verify")
    return client.begun["state"]


def come_back(client, **query):
    return client.get(f"/mfa/done?{urlencode(query)}")


def test_a_confirmation_of_ones_own_signs_in(person):
    state = at_the_page(person)
    assert person.get("/me").status_code == 401
    assert come_back(person, code="c", state=state).headers["location"] == "/me"
    assert person.get("/me").json()["name"] == person.login["name"]
    assert person.get("/security").headers["location"] == PAGE
    assert person.begun["purpose"] == "manage"


@pytest.mark.parametrize("change", [{"user_id": "somebody else"}, {"purpose": "enrol"}])
def test_a_confirmation_of_somebody_else_or_for_something_else_does_not(person, change):
    state = at_the_page(person)
    vars(person.result).update(change)
    assert come_back(person, code="c", state=state).status_code == 403
    assert person.get("/me").status_code == 401


def test_another_browsers_way_back_does_not_and_neither_does_coming_back_twice(person):
    state = at_the_page(person)
    assert come_back(person, code="c", state="other").status_code == 400
    assert come_back(person, code="c", state=state).status_code == 400
    assert person.get("/me").status_code == 401


def test_leaving_signs_nobody_in(person):
    state = at_the_page(person)
    assert come_back(person, error="access_denied", state=state).headers["location"] == "/docs"
    assert person.get("/me").status_code == 401
