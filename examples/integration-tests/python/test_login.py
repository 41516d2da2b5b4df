"""How a login behaves over hours, in less than five seconds.

With a test client of Candado's, whose messages are read in the place of a phone and whose clock goes on when the test
says so. CANDADO_URL, CANDADO_CLIENT_ID and CANDADO_CLIENT_SECRET are of a client made with "test": true.
"""

import random
import uuid

import pyotp
import pytest

from candado import Candado, CandadoError, CodeRefused, LockedError, RateLimitedError

mfa = Candado.from_env()


class Phone:
    """The user's phone. Its clock is the test client's, since that is the time the service goes by."""

    def __init__(self) -> None:
        self.user = f"user-{uuid.uuid4()}"
        self.number = f"+346{random.randrange(10_000_000, 100_000_000)}"
        self.secret = ""

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(now(), counter_offset=ahead)

    def wrong_code(self) -> str:
        """No code of now, nor of the minute around it."""
        right = [self.code(ahead) for ahead in (-1, 0, 1)]
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)

    def last_sms(self) -> str:
        return mfa.test_messages(user_id=self.user)[-1].code


def now() -> int:
    return mfa.advance_test_clock(0).now


def wait(seconds: int) -> None:
    mfa.advance_test_clock(seconds)


def enrol(phone: Phone) -> None:
    phone.secret = mfa.register(phone.user, phone=phone.number).secret
    mfa.verify(phone.user, phone.code())
    wait(30)


@pytest.fixture
def phone() -> Phone:
    return Phone()


def test_an_enrolment_that_is_not_finished_within_ten_minutes_is_none(phone: Phone) -> None:
    phone.secret = mfa.register(phone.user).secret
    wait(10 * 60)
    code = phone.code()
    with pytest.raises(CandadoError):
        mfa.verify(phone.user, code)
    assert not mfa.status(phone.user).mfa_enabled
    enrol(phone)
    assert mfa.status(phone.user).mfa_enabled


def test_a_code_by_sms_is_good_for_five_minutes_and_the_next_comes_after_one(phone: Phone) -> None:
    enrol(phone)
    mfa.send_sms(phone.user)
    with pytest.raises(RateLimitedError):
        mfa.send_sms(phone.user)
    first = phone.last_sms()
    wait(5 * 60)
    with pytest.raises(CodeRefused):
        mfa.verify(phone.user, first)
    mfa.send_sms(phone.user)
    second = phone.last_sms()
    wait(4 * 60)
    assert mfa.verify(phone.user, second).method == "sms"


def test_wrong_codes_lock_for_an_hour_at_last_and_then_the_right_one_is_good(phone: Phone) -> None:
    enrol(phone)
    for _ in range(11):
        guess = phone.wrong_code()
        with pytest.raises(CodeRefused) as refused:
            mfa.verify(phone.user, guess)
        lock = refused.value.retry_after
        if lock == 3600:
            break
        if lock is not None:
            wait(lock)
    assert lock == 3600
    wait(lock - 10)
    code = phone.code()
    with pytest.raises(LockedError):
        mfa.verify(phone.user, code)
    wait(10)
    assert mfa.verify(phone.user, phone.code()).method == "totp"


def test_whoever_lost_the_phone_recovers_by_a_message_and_binds_a_new_one(phone: Phone) -> None:
    enrol(phone)
    mfa.recover(phone.user, "sms")
    enrolment = mfa.renew(phone.user, code=phone.last_sms(), revoke_current=True)
    phone.secret = enrolment.secret
    assert mfa.verify(phone.user, phone.code()).method == "totp"
