"""Password login with a second step through Candado. Users live in memory: put your database in their place."""

import os
import secrets
import time
import uuid
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from pwdlib import PasswordHash
from pydantic import BaseModel, Field
from starlette.middleware.sessions import SessionMiddleware

CANDADO_URL = os.environ.get("CANDADO_URL", "http://localhost:8787")
CREDENTIALS = {
    "client_id": os.environ.get("CANDADO_CLIENT_ID", "app123"),
    "client_secret": os.environ.get("CANDADO_CLIENT_SECRET", "secret123"),
}
# What a user may hear of. Everything else is between this application and Candado.
FOR_USERS = {"invalid_code", "code_already_used", "locked", "rate_limited", "factor_disabled", "already_registered"}


class AccessToken(httpx.Auth):
    """Asks for a token when there is none, and once more when Candado no longer takes it."""

    requires_response_body = True
    bearer = None

    def auth_flow(self, request):
        for _ in range(2):
            if not self.bearer:
                answer = yield httpx.Request("POST", f"{CANDADO_URL}/auth", json=CREDENTIALS)
                self.bearer = f"Bearer {answer.raise_for_status().json()['access_token']}"
            request.headers["Authorization"] = self.bearer
            response = yield request
            if response.status_code != 401:
                return
            self.bearer = None


client = httpx.Client(base_url=CANDADO_URL, auth=AccessToken(), timeout=10)


def candado(method: str, path: str, **request) -> dict:
    try:
        response = client.request(method, path, **request)
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise HTTPException(503, "Try again in a moment") from error
    if response.is_success:
        return answer
    if answer.get("error") not in FOR_USERS:
        raise HTTPException(503, "Try again in a moment")
    wait = answer.get("retry_after")
    raise HTTPException(response.status_code, answer, headers={"Retry-After": str(wait)} if wait else None)


passwords = PasswordHash.recommended()
nobody = passwords.hash(secrets.token_hex())  # Compared with for unknown names, so that the time does not tell.
users: dict[str, dict] = {}

app = FastAPI(title="Login with a second step")
session_secret = os.environ.get("SESSION_SECRET") or secrets.token_hex(32)
https = os.environ.get("HTTPS") == "1"
app.add_middleware(SessionMiddleware, secret_key=session_secret, https_only=https, same_site="lax", max_age=3600)


def user_at(stage: str):
    """The user of a session that has come this far; where a code is missing, within ten minutes."""

    def find(request: Request) -> dict:
        session = request.session
        late = stage == "password" and session.get("at", 0) < time.time() - 600
        if session.get("stage") != stage or late or session["name"] not in users:
            raise HTTPException(401, "Sign in first")
        return users[session["name"]]

    return Depends(find)


SignedIn = Annotated[dict, user_at("signed-in")]


class Login(BaseModel):
    name: str = Field(min_length=1, max_length=60)
    password: str = Field(min_length=10, max_length=128)


class Code(BaseModel):
    code: str = Field(max_length=64)
    password: str = Field("", max_length=128)


@app.post("/signup", status_code=201)
def sign_up(login: Login, request: Request):
    user = {"id": str(uuid.uuid4()), "name": login.name, "password": passwords.hash(login.password)}
    if users.setdefault(login.name, user) is not user:
        raise HTTPException(409, "That name is taken")
    request.session.update(name=login.name, stage="signed-in", at=time.time())


@app.post("/login")
def log_in(login: Login, request: Request):
    user = users.get(login.name)
    if not passwords.verify(login.password, user["password"] if user else nobody) or not user:
        raise HTTPException(401, "Wrong name or password")
    # If Candado does not answer, this fails: nobody gets in without the second step they turned on.
    second_step = candado("GET", "/mfa/status", params={"user_id": user["id"]})["mfa_enabled"]
    request.session.update(name=login.name, stage="password" if second_step else "signed-in", at=time.time())
    return {"next": "code" if second_step else "done"}


@app.post("/login/code")
def second_step(body: Code, request: Request, user: Annotated[dict, user_at("password")]):
    # Naming the method keeps a code that is meant for recovery from signing anybody in.
    method = "totp" if body.code.isdigit() else "recovery_code"
    candado("POST", "/mfa/verify", json={"user_id": user["id"], "code": body.code, "method": method})
    request.session["stage"] = "signed-in"


@app.post("/logout")
def log_out(request: Request):
    request.session.clear()


@app.get("/me")
def me(user: SignedIn):
    return {"name": user["name"], "mfa": candado("GET", "/mfa/status", params={"user_id": user["id"]})}


@app.post("/mfa")
def turn_on(user: SignedIn):
    """Show `qr_code_url` as an image. The second step is on once /mfa/confirm got a first code."""
    return candado("POST", "/mfa/register", json={"user_id": user["id"], "account_name": user["name"]})


@app.post("/mfa/confirm")
def confirm(body: Code, user: SignedIn):
    candado("POST", "/mfa/verify", json={"user_id": user["id"], "code": body.code, "method": "totp"})
    return candado("POST", "/mfa/recovery-codes", json={"user_id": user["id"]})


@app.post("/mfa/off")
def turn_off(body: Code, user: SignedIn):
    if not passwords.verify(body.password, user["password"]):
        raise HTTPException(403, "Wrong password")
    # The code is checked and the second step removed in one request, so nothing comes between the two.
    candado("POST", "/mfa/disable", json={"user_id": user["id"], "code": body.code})
