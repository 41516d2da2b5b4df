"""Password login with a second step through Candado. Users live in memory: put your database in their place."""

import logging
import os
import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Annotated, Literal

import httpx
from candado import Candado, CandadoError, CodeRefused, ConflictError, DeliveryError, Enrolment, RateLimitedError
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pwdlib import PasswordHash
from pydantic import BaseModel, Field

from sessions import Session, Sessions
from throttle import Throttle

mfa = Candado(
    os.environ.get("CANDADO_URL", "http://localhost:8787"),
    os.environ.get("CANDADO_CLIENT_ID", "app123"),
    os.environ.get("CANDADO_CLIENT_SECRET", "secret123"),
)
sessions = Sessions(https_only=os.environ.get("HTTPS") == "1")
throttle = Throttle()
passwords = PasswordHash.recommended()
nobody = passwords.hash(secrets.token_hex())  # Compared with for unknown names, so that the time does not tell.


@dataclass
class User:
    name: str
    password: str
    id: str
    """What Candado knows the user by: it says nothing about the person and never changes."""


users: dict[str, User] = {}

app = FastAPI(title="Login with a second step")


@app.exception_handler(CandadoError)
def explain(request: Request, error: CandadoError) -> JSONResponse:
    """What a user can do something about is passed on. The rest is between this application and Candado."""
    if isinstance(error, CodeRefused | RateLimitedError | DeliveryError | ConflictError):
        wait = error.retry_after
        detail = {"error": error.code, "attempts_remaining": error.attempts_remaining, "retry_after": wait}
        return JSONResponse({"detail": detail}, error.status, {"Retry-After": str(wait)} if wait else None)
    logging.getLogger("uvicorn.error").error("Candado: %s (request %s)", error, error.request_id)
    return JSONResponse({"detail": "Try again in a moment"}, 503)


def session_at(*stages: str):
    """The session, if it has come this far and no further."""

    def find(request: Request) -> Session:
        session = sessions.find(request)
        if not session or session.stage not in stages:
            raise HTTPException(401, "Sign in first")
        return session

    return Depends(find)


SignedIn = Annotated[Session, session_at("signed-in")]
AfterPassword = Annotated[Session, session_at("password")]
Binding = Annotated[Session, session_at("signed-in", "recovering")]


class Login(BaseModel):
    name: str = Field(min_length=1, max_length=60)
    password: str = Field(min_length=10, max_length=128)


class Code(BaseModel):
    code: str = Field(max_length=64)


class TurnOff(Code):
    password: str = Field(max_length=128)


class Contact(BaseModel):
    """Where recovery messages may go. Your application verifies both first: whoever reads them can recover."""

    email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)
    phone: str | None = Field(None, pattern=r"^\+[1-9]\d{6,14}$")


class Lost(BaseModel):
    by: Literal["email", "sms"]


def check_password(name: str, password: str) -> User | None:
    if wait := throttle.count(name):
        raise HTTPException(429, "Too many wrong passwords", {"Retry-After": str(wait)})
    user = users.get(name)
    if not passwords.verify(password, user.password if user else nobody) or not user:
        return None
    throttle.take_back(name)
    return user


def show(session: Session, enrolment: Enrolment, replaces: str | None) -> dict:
    """The new secret, three ways: show `qr_code_url` as an image. /mfa/confirm waits for its first code."""
    session.enrolment = {"qr_code_url": enrolment.qr_code_url, "replaces": replaces}
    return {
        "qr_code_url": enrolment.qr_code_url,
        "otpauth_url": enrolment.otpauth_url,
        "secret": enrolment.secret,
        "expires_at": enrolment.expires_at,
    }


@app.post("/signup", status_code=201)
def sign_up(login: Login, request: Request, response: Response):
    user = User(login.name, passwords.hash(login.password), str(uuid.uuid4()))
    if users.setdefault(login.name, user) is not user:
        raise HTTPException(409, "That name is taken")
    sessions.begin(request, response, user.name, "signed-in")


@app.post("/login")
def log_in(login: Login, request: Request, response: Response):
    user = check_password(login.name, login.password)
    if not user:
        raise HTTPException(401, "Wrong name or password")
    # If Candado does not answer, this fails: nobody gets in without the second step they turned on.
    second_step = mfa.status(user.id).mfa_enabled
    sessions.begin(request, response, user.name, "password" if second_step else "signed-in")
    return {"next": "code" if second_step else "done"}


@app.post("/login/code")
def second_step(body: Code, request: Request, response: Response, session: AfterPassword):
    # Naming the method keeps the code of a recovery message from signing anybody in.
    method = "recovery_code" if re.search(r"[^\d\s-]", body.code) else "totp"
    mfa.verify(users[session.name].id, body.code, method=method)
    sessions.begin(request, response, session.name, "signed-in")


@app.post("/login/lost", status_code=202)
def send_recovery(body: Lost, session: AfterPassword):
    """Sends a code for /login/lost/code. Whoever has recovery codes does not need it."""
    mfa.recover(users[session.name].id, body.by)


@app.post("/login/lost/code")
def recover(body: Code, request: Request, response: Response, session: AfterPassword):
    """A recovery code, or the code of a recovery message, binds a new device; the lost one is dead at once."""
    # What another code looks like does not get here: a code of the lost app must not let its finder bind another.
    if not re.fullmatch(r"[\s-]*((\d[\s-]*){8}|([0-9A-Za-z][\s-]*){24})", body.code):
        raise HTTPException(400, {"error": "invalid_code"})
    # Not verified first: that would spend it.
    enrolment = mfa.renew(users[session.name].id, code=body.code, revoke_current=True)
    return show(sessions.begin(request, response, session.name, "recovering"), enrolment, "lost")


@app.post("/logout")
def log_out(request: Request, response: Response):
    sessions.end(request, response)


@app.get("/me")
def me(session: SignedIn):
    return {"name": session.name, "mfa": mfa.status(users[session.name].id)}


@app.post("/mfa")
def turn_on(session: SignedIn, body: Contact = Contact()):
    user_id = users[session.name].id
    return show(session, mfa.register(user_id, account_name=session.name, email=body.email, phone=body.phone), None)


@app.post("/mfa/confirm")
def confirm(body: Code, request: Request, response: Response, session: Binding):
    """Takes a first code of the new device. The first device brings ten recovery codes: show them, once.

    Should they be missing because something failed, MFA is on all the same: ask /mfa/recovery-codes for them.
    """
    if not session.enrolment:
        raise HTTPException(409, "Begin with /mfa or /mfa/move")
    user, replaces = users[session.name], session.enrolment["replaces"]
    mfa.verify(user.id, body.code, method="totp")
    # While both devices are good a code of the old one verifies too. The link to the QR code dies when the new one
    # is confirmed.
    if replaces == "old" and httpx.get(session.enrolment["qr_code_url"], timeout=10).status_code != 404:
        raise HTTPException(400, {"error": "code_of_the_old_device"})
    session.enrolment = {}
    if replaces == "lost":
        session = sessions.begin(request, response, user.name, "signed-in")
    sessions.end_others(session)
    if replaces:
        return {"recovery_codes": None}
    return {"recovery_codes": mfa.recovery_codes(user.id).recovery_codes}


# What takes something from a user comes with a code, which Candado checks in the same step. A client with the setting
# require_step_up insists on it.


@app.post("/mfa/move")
def move(body: Code, session: SignedIn):
    """Binds another device; the present one works until the new one is confirmed."""
    return show(session, mfa.renew(users[session.name].id, code=body.code), "old")


@app.post("/mfa/recovery-codes")
def new_recovery_codes(body: Code, session: SignedIn):
    """Ten new ones; those the user had are dead."""
    return {"recovery_codes": mfa.recovery_codes(users[session.name].id, code=body.code).recovery_codes}


@app.post("/mfa/off")
def turn_off(body: TurnOff, session: SignedIn):
    if not check_password(session.name, body.password):
        raise HTTPException(403, "Wrong password")
    mfa.disable(users[session.name].id, code=body.code)
