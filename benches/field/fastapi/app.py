"""One-time-code verification as a Python team writes it: FastAPI, PyOTP, SQLAlchemy on asyncpg, Redis.

Attempts are reserved in Redis before a code is looked at, so parallel guesses cannot pass the lock. A step is spent by
one conditional UPDATE, so of parallel uses of a code one is accepted.
"""

import hmac
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis.asyncio import Redis
from sqlalchemy import BigInteger, LargeBinary, String, bindparam, insert, literal, select, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

FREE_TRIES = 5
LOCK_SECONDS = 60
PERIOD = 30

cipher = AESGCM(bytes.fromhex(os.environ["SEALING_KEY"]))
token_digest = sha256(os.environ["API_TOKEN"].encode()).digest()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    at: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(16))


# One statement is one transaction here, so none needs a BEGIN and a COMMIT of its own.
engine = create_async_engine(
    os.environ["DATABASE_URL"],
    isolation_level="AUTOCOMMIT",
    pool_size=16,
    max_overflow=0,
    pool_reset_on_return=None,
    connect_args={"statement_cache_size": 100},
)
redis = Redis.from_url(os.environ["REDIS_URL"])

find = select(User.sealed_secret, User.last_step).where(User.user_id == bindparam("user"))

_spent = (
    update(User)
    .where(User.user_id == bindparam("user"), User.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
    .returning(User.user_id)
    .cte("spent")
)
spend = (
    insert(Event)
    .from_select(
        ["at", "user_id", "event"],
        select(bindparam("now", type_=BigInteger), _spent.c.user_id, literal("verified")),
    )
    .returning(Event.id)
)

# Answers the seconds the user is locked for, 0 if the attempt may be made. The fifth in a row locks, as does each more.
reserve = redis.register_script(
    """
    local left = redis.call('TTL', KEYS[2])
    if left > 0 then return left end
    if redis.call('INCR', KEYS[1]) >= tonumber(ARGV[1]) then redis.call('SET', KEYS[2], 1, 'EX', ARGV[2]) end
    return 0
    """
)
# A right code that was used before is no guess: its attempt is given back, and a lock that it set.
give_back = redis.register_script(
    """
    if redis.call('DECR', KEYS[1]) < tonumber(ARGV[1]) then redis.call('DEL', KEYS[2]) end
    return 0
    """
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()
    await redis.aclose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


def caller(authorization: str = Header()) -> None:
    given = sha256(authorization.removeprefix("Bearer ").encode()).digest()
    if not hmac.compare_digest(given, token_digest):
        raise HTTPException(401)


class Enrolment(BaseModel):
    user_id: str = Field(min_length=1, max_length=64)
    secret: str = Field(min_length=26, max_length=128)


class Verification(BaseModel):
    user_id: str = Field(min_length=1, max_length=64)
    code: str = Field(pattern=r"^\d{6}$")


def seal(user: str, secret: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, secret.encode(), user.encode())


def matching_step(secret: str, code: str, now: int) -> int | None:
    """The step a code is of, the likeliest looked at first."""
    totp = pyotp.TOTP(secret, interval=PERIOD)
    present = now // PERIOD
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(code, totp.generate_otp(step)):
            return step
    return None


def failure(status: int, error: str, **more: int) -> JSONResponse:
    return JSONResponse({"status": "failure", "error": error, **more}, status)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/enrol", dependencies=[Depends(caller)])
async def enrol(body: list[Enrolment]) -> dict[str, str]:
    rows = [
        {"user_id": user.user_id, "sealed_secret": seal(user.user_id, user.secret), "last_step": 0} for user in body
    ]
    async with engine.connect() as connection:
        await connection.execute(insert(User), rows)
    return {"status": "success"}


@app.post("/verify", dependencies=[Depends(caller)])
async def verify(body: Verification) -> JSONResponse:
    user = body.user_id
    keys = [f"tries:{user}", f"lock:{user}"]
    async with engine.connect() as connection:
        row = (await connection.execute(find, {"user": user})).first()
        if row is None:
            return failure(404, "user_not_found")
        if locked := await reserve(keys=keys, args=[FREE_TRIES, LOCK_SECONDS]):
            return failure(429, "locked", retry_after=locked)
        try:
            secret = cipher.decrypt(row.sealed_secret[:12], row.sealed_secret[12:], user.encode())
        except InvalidTag:
            return failure(500, "internal")
        now = int(time.time())
        step = matching_step(secret.decode(), body.code, now)
        if step is None:
            await connection.execute(insert(Event), {"at": now, "user_id": user, "event": "failed"})
            return failure(400, "invalid_code")
        spent = (await connection.execute(spend, {"user": user, "step": step, "now": now})).first()
    if spent is None:
        await give_back(keys=keys, args=[FREE_TRIES])
        return failure(400, "code_already_used")
    await redis.delete(*keys)
    return JSONResponse({"status": "success", "method": "totp"})
