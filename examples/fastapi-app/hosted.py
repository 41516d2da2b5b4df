"""The same with Candado's hosted page: a second step, its set-up and the way back, and no endpoint for any of it."""

import os
import secrets
from typing import Annotated

from candado import CandadoError, SessionPurpose
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse

from app import Login, check_password, explain, mfa, sessions, sign_up, users
from sessions import Session

DONE = f"{os.environ.get('APP_URL', 'http://localhost:8001')}/mfa/done"

app = FastAPI(title="Login with a second step on Candado's page", exception_handlers={CandadoError: explain})
app.post("/signup", status_code=201)(sign_up)


def any_session(request: Request) -> Session:
    session = sessions.find(request)
    if not session:
        raise HTTPException(401, "Sign in first")
    return session


AnySession = Annotated[Session, Depends(any_session)]


def visit(session: Session, purpose: SessionPurpose) -> RedirectResponse:
    """Sends the browser to the page. What it was sent for stays in this browser's session."""
    state = secrets.token_urlsafe()
    begun = mfa.create_session(
        users[session.name].id, purpose=purpose, return_url=DONE, state=state, account_name=session.name
    )
    session.visit = {"purpose": purpose, "state": state}
    return RedirectResponse(begun.url, 303)


@app.post("/login")
def log_in(login: Login, request: Request) -> RedirectResponse:
    user = check_password(login.name, login.password)
    if not user:
        raise HTTPException(401, "Wrong name or password")
    second_step = mfa.status(user.id).mfa_enabled
    answer = RedirectResponse("/login/confirm" if second_step else "/me", 303)
    sessions.begin(request, answer, user.name, "password" if second_step else "signed-in")
    return answer


@app.get("/login/confirm")
def confirm(session: AnySession) -> RedirectResponse:
    return visit(session, "verify")


@app.get("/security")
def security(session: AnySession) -> RedirectResponse:
    if session.stage != "signed-in":
        raise HTTPException(401, "Sign in first")
    return visit(session, "manage")


@app.get("/mfa/done")
def done(request: Request, session: AnySession, state: str, code: str | None = None) -> RedirectResponse:
    # Of this browser's own visit, of its own user, and for what it was sent: else it is somebody else's.
    sent, session.visit = session.visit, {}
    if not sent or not secrets.compare_digest(state, sent["state"]):
        raise HTTPException(400, "That did not come from this browser")
    if code is None:
        return RedirectResponse("/me" if session.stage == "signed-in" else "/docs", 303)
    result = mfa.get_session_result(code)
    if result.user_id != users[session.name].id or result.purpose != sent["purpose"]:
        raise HTTPException(403, "That is not your account")
    answer = RedirectResponse("/me", 303)
    if result.purpose == "verify":
        sessions.begin(request, answer, session.name, "signed-in")
    return answer


@app.get("/me")
def me(session: AnySession):
    if session.stage != "signed-in":
        raise HTTPException(401, "Sign in first")
    return {"name": session.name, "mfa": mfa.status(users[session.name].id)}
