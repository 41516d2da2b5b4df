from __future__ import annotations

import asyncio
import importlib.metadata
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from service import (
    BASE_URL,
    IN_PROGRESS,
    LIMITED,
    SENT,
    STATUS,
    SUCCESS,
    UNAUTHORIZED,
    UNAVAILABLE,
    VERIFIED,
    Answer,
    Client,
    Service,
    answer,
    failure,
    raises,
    token,
)

import candado
from candado import (
    AsyncCandado,
    AuthenticationError,
    Candado,
    CandadoError,
    CodeRefused,
    ConflictError,
    Contact,
    DeliveryError,
    Enrolment,
    Factor,
    ForbiddenError,
    InvalidRequestError,
    LockedError,
    NotFoundError,
    PasskeyChallenge,
    RateLimitedError,
    Status,
    TestClock,
    TestMessage,
    UnavailableError,
    Verified,
)

if TYPE_CHECKING:
    from conftest import Clock

ENROLMENT = {
    "qr_code_url": "q",
    "secret": "S",
    "otpauth_url": "o",
    "state": "pending",
    "expires_at": 5,
}


def refused(call: Any, *args: object, **kwargs: object) -> CandadoError:
    with pytest.raises(CandadoError) as caught:
        call(*args, **kwargs)
    return caught.value


def changes(client: Client) -> list[Any]:
    return [
        lambda: client.verify("u", "123456"),
        lambda: client.register("u"),
        lambda: client.delete_user("u"),
    ]


def sends(client: Client) -> list[Any]:
    return [
        lambda: client.send_sms("u"),
        lambda: client.send_email("u"),
        lambda: client.recover("u", "sms"),
    ]


class TestRequestsAndResults:
    @pytest.mark.parametrize(
        ("name", "args", "more", "line", "body", "answered"),
        [
            (
                "register",
                (),
                {"digits": 8, "confirm": False},
                "POST /mfa/register",
                {"digits": 8, "confirm": False},
                answer(200, ENROLMENT),
            ),
            (
                "renew",
                (),
                {"revoke_current": True},
                "POST /mfa/renew",
                {"revoke_current": True},
                answer(200, ENROLMENT),
            ),
            ("send_sms", (), {"locale": "es"}, "POST /mfa/sms", {"locale": "es"}, SENT),
            ("send_email", (), {}, "POST /mfa/email", {}, SENT),
            (
                "generate_code",
                (),
                {},
                "POST /mfa/generate",
                {},
                answer(200, {"code": "123456", "expires_in": 300}),
            ),
            ("recover", ("email",), {}, "POST /mfa/recovery", {"recovery_method": "email"}, SENT),
            (
                "recovery_codes",
                (),
                {},
                "POST /mfa/recovery-codes",
                {},
                answer(200, {"recovery_codes": ["A"], "remaining": 1}),
            ),
            (
                "set_contact",
                (),
                {"email": "a@x.io"},
                "POST /mfa/contact",
                {"email": "a@x.io"},
                SUCCESS,
            ),
            ("set_contact", (), {"phone": None}, "POST /mfa/contact", {"phone": None}, SUCCESS),
            (
                "create_session",
                (),
                {"purpose": "verify", "return_url": "https://shop.example/done"},
                "POST /mfa/sessions",
                {"purpose": "verify", "return_url": "https://shop.example/done"},
                answer(201, {"session_id": "s", "url": "u", "expires_in": 600}),
            ),
            ("disable", (), {"code": "123456"}, "POST /mfa/disable", {"code": "123456"}, SUCCESS),
            (
                "import_factor",
                (),
                {"secret": "S", "period": 60},
                "POST /mfa/import",
                {"secret": "S", "period": 60},
                SUCCESS,
            ),
        ],
    )
    def test_reach_every_endpoint(
        self,
        client: Client,
        name: str,
        args: tuple[object, ...],
        more: dict[str, object],
        line: str,
        body: dict[str, object],
        answered: Answer,
    ) -> None:
        client.service.answers = [answered]
        getattr(client, name)("u", *args, **more)
        asked = client.service.asked[-1]
        assert f"{asked.method} {asked.url.raw_path.decode()}" == line
        assert asked.headers["Authorization"] == "Bearer t1"
        assert client.service.body() == {"user_id": "u", **body}

    def test_results_are_typed(self, client: Client) -> None:
        client.service.answers = [
            answer(200, ENROLMENT),
            STATUS,
            answer(200, {"status": "success", "email": "a•@x.io", "phone": None}),
        ]
        assert client.register("u") == Enrolment("q", "S", "o", "pending", 5)
        assert client.status("a&b+c") == Status(True, "active", ["totp"], 10)
        assert client.service.asked[-1].url.query == b"user_id=a%26b%2Bc"
        assert client.set_contact("u", phone=None) == Contact("a•@x.io", None)

    def test_a_test_client_reads_its_messages_and_puts_its_clock_forward(
        self, client: Client
    ) -> None:
        message = {
            "user_id": "u",
            "channel": "sms",
            "purpose": "verify",
            "to": "+34600111222",
            "subject": None,
            "text": "t",
            "code": "123456",
            "sent_at": 5,
        }
        client.service.answers = [
            answer(200, {"messages": [message]}),
            answer(200, {"messages": []}),
            answer(200, {"status": "success", "now": 65, "ahead_seconds": 60}),
        ]
        sent = TestMessage("u", "sms", "verify", "+34600111222", "t", 5, "123456")
        assert client.test_messages(user_id="a&b") == [sent]
        assert client.service.asked[-1].url.raw_path == b"/mfa/test/messages?user_id=a%26b"
        assert client.test_messages() == []
        assert client.advance_test_clock(60) == TestClock(65, 60)
        assert client.service.body() == {"advance_seconds": 60}

    def test_a_user_is_deleted_whatever_the_id(self, client: Client) -> None:
        client.service.answers = [lambda _: httpx.Response(204)] * 2
        client.delete_user("a/b?c#d%")
        assert client.service.asked[-1].url.raw_path == b"/mfa/users/a%2Fb%3Fc%23d%25"
        assert client.service.body() is None
        client.delete_user("u", code="123456")
        assert client.service.body() == {"code": "123456"}

    def test_the_users_code_goes_along_with_every_change_that_takes_something(
        self, client: Client
    ) -> None:
        good = answer(200, ENROLMENT | {"recovery_codes": ["A"], "remaining": 1})
        calls: list[Any] = [
            lambda: client.renew("u", code="123456"),
            lambda: client.recovery_codes("u", code="123456"),
            lambda: client.set_contact("u", email=None, code="123456"),
            lambda: client.disable("u", code="123456"),
            lambda: client.delete_user("u", code="123456"),
        ]
        for call in calls:
            client.service.answers = [good]
            call()
            assert client.service.body()["code"] == "123456"

    def test_nothing_secret_is_in_a_repr(self, client: Client) -> None:
        assert "secret123" not in repr(vars(client.mfa))
        assert (
            repr(Enrolment("q", "S", "o", "pending", 5))
            == "Enrolment(state='pending', expires_at=5, factor_id=None)"
        )

    def test_an_answer_that_lacks_something_is_an_error(self, client: Client) -> None:
        client.service.answers = [answer(200, {"secret": "S"})]
        assert refused(client.register, "u").code == "unexpected_response"

    @pytest.mark.parametrize("kind", [Candado, AsyncCandado])
    def test_go_by_https_or_stay_on_this_machine(self, kind: type[Candado | AsyncCandado]) -> None:
        for good in [
            "https://x.io/base/",
            "http://localhost:8787",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ]:
            kind(good, "a", "b")
        for bad in [
            "http://x.io",
            "ftp://localhost",
            "x.io",
            "https://u:p@x.io",
            "https://x.io?a",
            "",
        ]:
            with pytest.raises(ValueError, match="base_url"):
                kind(bad, "a", "b")


class TestFromEnv:
    @pytest.fixture(params=[Candado, AsyncCandado])
    def kind(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("CANDADO_URL", BASE_URL)
        monkeypatch.setenv("CANDADO_CLIENT_ID", "app123")
        monkeypatch.setenv("CANDADO_CLIENT_SECRET", "secret123")
        return request.param

    def test_has_address_and_credentials(self, service: Service, kind: Any) -> None:
        service.answers = [STATUS]
        if kind is Candado:
            http_client = httpx.Client(transport=httpx.MockTransport(service.handle))
            Candado.from_env(http_client=http_client).status("u")
        else:
            transport = httpx.MockTransport(service.handle_async)
            mfa = AsyncCandado.from_env(http_client=httpx.AsyncClient(transport=transport))
            asyncio.run(mfa.status("u"))
        assert service.body(0) == {"client_id": "app123", "client_secret": "secret123"}

    def test_says_what_is_missing(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CANDADO_URL")
        monkeypatch.setenv("CANDADO_CLIENT_SECRET", "")
        names = "CANDADO_URL and CANDADO_CLIENT_SECRET must be set in the environment"
        with pytest.raises(ValueError, match=names):
            kind.from_env()


class TestAnApiKey:
    KEY = "cdo_shop.k7qmzt3a_secret"

    def client(self, service: Service) -> Candado:
        http_client = httpx.Client(transport=httpx.MockTransport(service.handle))
        return Candado(BASE_URL, api_key=self.KEY, http_client=http_client)

    def test_is_shown_in_the_place_of_a_token(self, service: Service) -> None:
        service.answers = [STATUS]
        client = self.client(service)
        client.status("u")
        client.revoke_token()
        shown = [request.headers["authorization"] for request in service.asked]
        assert shown == [f"Bearer {self.KEY}"]

    def test_that_is_refused_is_not_shown_again(self, service: Service) -> None:
        service.answers = [UNAUTHORIZED]
        with pytest.raises(CandadoError) as caught:
            self.client(service).status("u")
        assert caught.value.code == "invalid_token"
        assert len(service.asked) == 1

    def test_comes_from_the_environment(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CANDADO_URL", BASE_URL)
        monkeypatch.setenv("CANDADO_API_KEY", self.KEY)
        service.answers = [STATUS]
        http_client = httpx.Client(transport=httpx.MockTransport(service.handle))
        Candado.from_env(http_client=http_client).status("u")
        assert service.asked[0].headers["authorization"] == f"Bearer {self.KEY}"

    @pytest.mark.parametrize("kind", [Candado, AsyncCandado])
    def test_takes_no_id_and_secret_beside_it(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="in the place of client_id and client_secret"):
            kind(BASE_URL, "a", "b", api_key=self.KEY)


class TestArgumentsOfTheWrongKind:
    def test_are_named_at_once_and_nothing_is_sent(self, client: Client) -> None:
        mistakes: list[tuple[Any, type[Exception], str]] = [
            (
                lambda: client.verify("u", 123456),
                TypeError,
                "code must be a str, not int: leading zeros count",
            ),
            (lambda: client.verify("u", None), TypeError, "code must be a str, not None"),
            (
                lambda: client.renew("u", code=123456),
                TypeError,
                "code must be a str, not int: leading zeros count",
            ),
            (
                lambda: client.delete_user("u", code=b"123456"),
                TypeError,
                "code must be a str, not bytes",
            ),
            (lambda: client.register(7), TypeError, "user_id must be a str, not int"),
            (lambda: client.status(""), ValueError, "user_id must not be empty"),
            (lambda: client.delete_user(None), TypeError, "user_id must be a str, not None"),
        ]
        for call, kind, message in mistakes:
            with pytest.raises(kind) as caught:
                call()
            assert str(caught.value) == message
        assert client.service.asked == []

    @pytest.mark.parametrize("kind", [Candado, AsyncCandado])
    def test_are_named_by_the_constructor(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="base_url must be a str, not None"):
            kind(None, "a", "b")
        with pytest.raises(TypeError, match="client_secret must be a str, not None"):
            kind(BASE_URL, "a", None)
        with pytest.raises(ValueError, match="client_id must not be empty"):
            kind(BASE_URL, "", "b")


class TestVerify:
    def test_says_what_a_good_code_proved_and_hands_it_on_as_typed(self, client: Client) -> None:
        client.service.answers = [VERIFIED]
        assert client.verify("u", "123 456", method="totp") == Verified("totp")
        assert client.service.body() == {"user_id": "u", "code": "123 456", "method": "totp"}

    @pytest.mark.parametrize(
        ("answered", "expected"),
        [
            (failure(400, "invalid_code", attempts_remaining=3), ("invalid_code", 3, None)),
            (
                failure(400, "code_already_used", retry_after=12),
                ("code_already_used", None, 12),
            ),
            (failure(429, "locked", retry_after=60), ("locked", None, 60)),
            (failure(403, "factor_disabled"), ("factor_disabled", None, None)),
        ],
    )
    def test_raises_for_a_code_that_is_not_good_whatever_is_done_with_its_result(
        self,
        client: Client,
        answered: Answer,
        expected: tuple[str, int | None, int | None],
    ) -> None:
        client.service.answers = [answered]
        let_in = False
        with pytest.raises(CodeRefused) as caught:
            let_in = client.verify("u", "123456") is not Ellipsis
        assert not let_in
        error = caught.value
        assert (error.code, error.attempts_remaining, error.retry_after) == expected
        assert len(client.service.asked) == 2

    def test_takes_an_empty_field_for_a_wrong_code(self, client: Client) -> None:
        client.service.answers = [failure(400, "invalid_code", attempts_remaining=5)]
        assert isinstance(refused(client.verify, "u", ""), CodeRefused)
        assert client.service.body() == {"user_id": "u", "code": ""}

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (404, "user_not_found"),
            (409, "mfa_not_enabled"),
            (500, "internal"),
            (400, "invalid_request"),
        ],
    )
    def test_raises_something_else_for_what_is_not_about_the_code(
        self, client: Client, status: int, code: str
    ) -> None:
        client.service.answers = [failure(status, code, field="user_id")]
        error = refused(client.verify, "u", "123456")
        assert (error.status, error.code) == (status, code)
        assert not isinstance(error, CodeRefused)


class TestErrors:
    def test_carry_what_the_service_said(self, client: Client) -> None:
        more = {"field": "phone", "retry_after": 7, "attempts_remaining": 2}
        page = "https://mfa.example.com/docs/errors#destination_missing"
        client.service.answers = [
            failure(422, "destination_missing", documentation_url=page, **more)
        ]
        error = refused(client.send_sms, "u")
        assert vars(error) == {
            "status": 422,
            "code": "destination_missing",
            "message": "About destination_missing",
            "field": "phone",
            "reason": None,
            "attempts_remaining": 2,
            "retry_after": 7,
            "documentation_url": page,
            "request_id": "r1",
        }
        assert str(error) == (
            f"destination_missing: About destination_missing (field phone), see {page}"
        )

    def test_say_what_is_wrong_with_a_passkey(self, client: Client) -> None:
        client.service.answers = [failure(400, "invalid_credential", reason="origin")]
        credential = {"id": "x", "rawId": "x", "type": "public-key", "response": {}}
        given = {"challenge_id": "c", "credential": credential}
        error = refused(client.verify_passkey, "u", **given)
        assert isinstance(error, CodeRefused)
        assert error.reason == "origin"
        assert client.service.body() == {"user_id": "u", **given}

    def test_factors_and_challenges_are_typed(self, client: Client) -> None:
        factor = {"id": "f", "type": "totp", "state": "active", "created_at": 5}
        listed = {"factors": [factor], "recovery_codes_remaining": 1, "phone": None, "email": None}
        public_key = {"rpId": "shop.example"}
        opened = {"challenge_id": "c", "expires_in": 300, "publicKey": public_key}
        client.service.answers = [answer(200, listed), answer(200, opened)]
        assert client.factors("u").factors == [Factor("f", "totp", "active", 5)]
        assert client.passkey_challenge("u") == PasskeyChallenge("c", 300, public_key)

    def test_factors_are_changed_at_their_own_address(self, client: Client) -> None:
        client.service.answers = [answer(200, {"status": "success"})]
        client.remove_factor("u", "f/1", code="123456")
        asked = client.service.asked[-1]
        assert (asked.method, asked.url.raw_path) == ("DELETE", b"/mfa/factors/f%2F1")
        assert client.service.body() == {"user_id": "u", "code": "123456"}

    @pytest.mark.parametrize(
        ("kind", "answers"),
        [
            (
                CodeRefused,
                [(400, "invalid_code"), (400, "code_already_used"), (403, "factor_disabled")],
            ),
            (LockedError, [(429, "locked")]),
            (RateLimitedError, [(429, "rate_limited"), (429, "send_limited")]),
            (
                DeliveryError,
                [
                    (422, "destination_missing"),
                    (422, "destination_not_allowed"),
                    (502, "delivery_failed"),
                    (503, "delivery_unavailable"),
                    (503, "channel_not_configured"),
                ],
            ),
            (AuthenticationError, [(401, "invalid_client"), (401, "something_new")]),
            (
                ForbiddenError,
                [
                    (403, "step_up_required"),
                    (403, "account_limit_reached"),
                    (403, "method_not_allowed"),
                    (403, "client_mismatch"),
                    (403, "something_new"),
                ],
            ),
            (NotFoundError, [(404, "user_not_found")]),
            (ConflictError, [(409, "already_registered"), (409, "mfa_not_enabled")]),
            (
                InvalidRequestError,
                [
                    (400, "invalid_request"),
                    (405, "method_not_allowed"),
                    (413, "payload_too_large"),
                    (400, "something_new"),
                ],
            ),
            (UnavailableError, [(500, "internal"), (503, "unavailable"), (599, "something_new")]),
        ],
    )
    @pytest.mark.usefixtures("clock")
    def test_are_told_apart_by_their_class(
        self, client: Client, kind: type[CandadoError], answers: list[tuple[int, str]]
    ) -> None:
        for status, code in answers:
            # Some are worth another try.
            client.service.answers = [failure(status, code)] * 3
            error = refused(client.send_sms, "u")
            assert type(error) is kind
            assert error.code == code
        assert issubclass(LockedError, CodeRefused)

    @pytest.mark.usefixtures("clock")
    def test_show_the_callers_line_and_not_the_clients_inside(self, client: Client) -> None:
        no = [raises(_connect_error()) for _ in range(3)]
        client.service.answers = [failure(404, "user_not_found"), *no]
        for method in (client.mfa.send_sms, client.mfa.status):
            with pytest.raises(CandadoError) as caught:
                client.run(method, "u")
            names = [Path(frame.filename).name for frame in traceback.extract_tb(caught.tb)]
            assert names.count("_client.py") == 1
            assert names[-1] == "_client.py"
            text = "".join(traceback.format_exception(caught.value))
            assert "httpcore" not in text
        assert "ConnectError: no" in text

    @pytest.mark.parametrize(
        ("status", "text", "headers", "retry_after"),
        [
            (502, "<h1>Bad gateway</h1>", {"Retry-After": "9"}, 9),
            (502, "", {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
            (502, "", {"Retry-After": "soon"}, None),
            (302, "", {"Location": "https://elsewhere.example"}, None),
            (200, "[1]", {}, None),
        ],
    )
    def test_do_not_depend_on_who_answers(
        self,
        client: Client,
        status: int,
        text: str,
        headers: dict[str, str],
        retry_after: int | None,
    ) -> None:
        client.service.answers = [lambda _: httpx.Response(status, text=text, headers=headers)]
        error = refused(client.status, "u")
        assert (error.code, error.status) == ("unexpected_response", status)
        assert isinstance(error, UnavailableError)
        assert error.retry_after == retry_after

    @pytest.mark.usefixtures("clock")
    def test_tell_that_there_was_no_answer(self, client: Client) -> None:
        client.service.answers = [
            raises(httpx.ConnectError("no")),
            raises(httpx.ConnectError("no")),
            raises(httpx.ConnectError("no")),
            raises(httpx.ReadTimeout("slow")),
        ]
        error = refused(client.status, "u")
        assert (error.code, error.status) == ("unreachable", 0)
        assert isinstance(error.__cause__, httpx.ConnectError)
        assert refused(client.status, "u").code == "timeout"
        assert len(client.service.asked) == 5

    def test_of_wrong_credentials_are_raised_by_every_call(self, client: Client) -> None:
        client.service.auth_answers = [failure(401, "invalid_client")] * 2
        assert refused(client.status, "u").code == "invalid_client"
        assert refused(client.send_sms, "u").code == "invalid_client"


class TestToken:
    def test_is_kept(self, client: Client) -> None:
        client.service.answers = [STATUS, STATUS]
        client.status("u")
        client.status("u")
        assert client.service.paths == ["/auth", "/mfa/status", "/mfa/status"]
        assert client.service.body(0) == {"client_id": "app123", "client_secret": "secret123"}

    def test_is_replaced_before_it_expires(self, client: Client, clock: Clock) -> None:
        client.service.answers = [STATUS, STATUS, STATUS]
        client.status("u")
        clock.now += 3600 - 61
        client.status("u")
        clock.now += 2
        client.status("u")
        assert client.service.authorizations == [None, "Bearer t1", "Bearer t1", None, "Bearer t2"]

    def test_is_replaced_once_when_it_is_refused_even_for_a_send(self, client: Client) -> None:
        client.service.answers = [UNAUTHORIZED, SENT]
        assert client.send_sms("u").destination == "+34•12"
        assert client.service.authorizations == [None, "Bearer t1", None, "Bearer t2"]

    def test_is_not_replaced_a_second_time(self, client: Client) -> None:
        client.service.answers = [UNAUTHORIZED, UNAUTHORIZED]
        assert refused(client.status, "u").code == "invalid_token"
        assert len(client.service.asked) == 4

    def test_is_revoked_and_forgotten(self, client: Client) -> None:
        client.service.answers = [STATUS, SUCCESS, STATUS]
        client.revoke_token()
        assert client.service.paths == []
        client.status("u")
        client.revoke_token()
        assert client.service.body() == {"access_token": "t1"}
        assert client.service.authorizations[-1] is None
        client.status("u")
        assert client.service.authorizations[-1] == "Bearer t2"

    def test_is_asked_for_once_by_many_threads(self, service: Service) -> None:
        threads = 16
        together = threading.Barrier(threads)

        def slow(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/auth":
                time.sleep(0.05)
            return service.handle(request)

        service.answers = [STATUS] * threads
        mfa = Candado(
            BASE_URL, "a", "b", http_client=httpx.Client(transport=httpx.MockTransport(slow))
        )

        def call(_: int) -> Status:
            together.wait()
            return mfa.status("u")

        with ThreadPoolExecutor(threads) as pool:
            assert len(list(pool.map(call, range(threads)))) == threads
        assert service.paths.count("/auth") == 1

    def test_fails_once_for_all_threads_that_wait_for_it(self, service: Service) -> None:
        together = threading.Barrier(4)

        def slow(request: httpx.Request) -> httpx.Response:
            time.sleep(0.05)
            return service.handle(request)

        service.auth_answers = [failure(401, "invalid_client")]
        mfa = Candado(
            BASE_URL, "a", "b", http_client=httpx.Client(transport=httpx.MockTransport(slow))
        )

        def call(_: int) -> str:
            together.wait()
            return refused(mfa.status, "u").code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(call, range(4))) == {"invalid_client"}
        assert service.paths == ["/auth"]

    def test_is_asked_for_once_by_many_tasks(self, service: Service) -> None:
        service.answers = [STATUS] * 16

        async def run() -> None:
            async with _async_client(service) as mfa:
                await asyncio.gather(*(mfa.status("u") for _ in range(16)))

        asyncio.run(run())
        assert service.paths.count("/auth") == 1

    def test_is_still_fetched_when_the_task_that_asked_first_gives_up(
        self, service: Service
    ) -> None:
        service.answers = [STATUS]

        async def run() -> None:
            asked, go = asyncio.Event(), asyncio.Event()

            async def handle(request: httpx.Request) -> httpx.Response:
                if request.url.path == "/auth":
                    asked.set()
                    await go.wait()
                return service.handle(request)

            http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
            async with AsyncCandado(BASE_URL, "a", "b", http_client=http_client) as mfa:
                first = asyncio.create_task(mfa.status("u"))
                other = asyncio.create_task(mfa.status("u"))
                await asked.wait()
                first.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await first
                go.set()
                assert (await other).state == "active"

        asyncio.run(run())
        assert service.paths == ["/auth", "/mfa/status"]

    def test_refused_to_many_tasks_is_replaced_once(self, service: Service) -> None:
        service.answers = [UNAUTHORIZED] * 3 + [STATUS] * 3

        async def run() -> None:
            async with _async_client(service) as mfa:
                await asyncio.gather(*(mfa.status("u") for _ in range(3)))

        asyncio.run(run())
        assert service.paths.count("/auth") == 2


class TestRetries:
    def test_wait_as_long_as_the_service_says(self, client: Client, clock: Clock) -> None:
        client.service.answers = [LIMITED, UNAVAILABLE, STATUS]
        client.status("u")
        assert clock.slept == [1, 5]

    def test_are_two_at_most(self, client: Client, clock: Clock) -> None:
        client.service.answers = [LIMITED] * 3
        assert refused(client.status, "u").code == "rate_limited"
        assert clock.slept == [1, 1]

    def test_are_not_made_when_the_wait_would_outlast_the_call(
        self, client: Client, clock: Clock
    ) -> None:
        client.service.answers = [failure(429, "rate_limited", retry_after=15)]
        assert refused(client.status, "u").retry_after == 15
        assert clock.slept == []

    @pytest.mark.usefixtures("clock")
    def test_of_what_changes_something_have_the_key_of_the_first_try(self, client: Client) -> None:
        calls = [*changes(client), *sends(client)]
        goods = [VERIFIED, answer(200, ENROLMENT), SUCCESS, SENT, SENT, SENT]
        keys: set[str] = set()
        for call, good in zip(calls, goods, strict=True):
            for bad in (
                [LIMITED, UNAVAILABLE],
                [raises(httpx.ReadError("cut off")), IN_PROGRESS],
            ):
                client.service.asked.clear()
                client.service.answers = [*bad, good]
                call()
                asked = [each for each in client.service.asked if each.url.path != "/auth"]
                used = {each.headers["Idempotency-Key"] for each in asked}
                assert (len(asked), len(used)) == (3, 1)
                assert len({each.content for each in asked}) == 1
                keys |= used
        assert len(keys) == 2 * len(calls)

    def test_what_changes_nothing_has_no_key(self, client: Client) -> None:
        client.service.answers = [STATUS]
        client.status("u")
        assert all("Idempotency-Key" not in each.headers for each in client.service.asked)

    @pytest.mark.usefixtures("clock")
    def test_leave_a_provider_that_fails_to_the_application(self, client: Client) -> None:
        for call in sends(client):
            client.service.answers = [failure(503, "delivery_unavailable", retry_after=5), SENT]
            refused(call)
            assert client.service.answers == [SENT]

    @pytest.mark.usefixtures("clock")
    @pytest.mark.parametrize(
        "bad",
        [
            failure(503, "unavailable"),
            failure(500, "internal"),
            failure(429, "locked", retry_after=1),
        ],
    )
    def test_are_not_made_of_other_errors(self, client: Client, bad: Answer) -> None:
        client.service.answers = [bad, STATUS]
        refused(client.status, "u")
        assert client.service.answers == [STATUS]

    def test_are_made_of_auth_also_on_the_way_to_a_send(self, client: Client, clock: Clock) -> None:
        client.service.auth_answers = [UNAVAILABLE, LIMITED, token("t")]
        client.service.answers = [SENT]
        client.send_sms("u")
        assert clock.slept == [5, 1]

    def test_leave_the_call_its_timeout(self, client: Client, clock: Clock) -> None:
        client.service.answers = [UNAVAILABLE, STATUS]
        client.status("u")
        timeouts = [request.extensions["timeout"]["read"] for request in client.service.asked]
        assert timeouts == [15, 15, 10]
        assert clock.slept == [5]


def _async_client(service: Service) -> AsyncCandado:
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(service.handle_async))
    return AsyncCandado(BASE_URL, "a", "b", http_client=http_client)


def test_both_clients_have_the_same_operations() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(Candado) - {"close"} == public(AsyncCandado) - {"aclose"}


def test_the_package_says_its_version() -> None:
    assert candado.__version__ == importlib.metadata.version("candado")


def _connect_error() -> httpx.ConnectError:
    """As httpx raises it: made of another library's error."""
    try:
        try:
            raise OSError("httpcore's own")
        except OSError as error:
            raise httpx.ConnectError("no") from error
    except httpx.ConnectError as error:
        return error
