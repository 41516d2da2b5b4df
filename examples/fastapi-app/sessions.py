"""Who is asking. The cookie holds a random id; everything else stays on the server, where a session can be ended."""

import secrets
import threading
import time
from dataclasses import dataclass, field

from fastapi import Request, Response

# How far a user has come, and for how many seconds that holds: the password was right and a code is missing; a
# recovery code was right as well, and a first code of the new device is missing; signed in.
LIFETIMES = {"password": 600, "recovering": 600, "signed-in": 3600}


@dataclass
class Session:
    name: str
    stage: str
    ends_at: float
    enrolment: dict = field(default_factory=dict)
    """The authenticator app that waits for its first code."""
    visit: dict = field(default_factory=dict)
    """What this browser was sent to the hosted page for."""


class Sessions:
    """In memory: put your database in its place."""

    def __init__(self, https_only: bool):
        self._https_only = https_only
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def begin(self, request: Request, response: Response, name: str, stage: str) -> Session:
        """A new id at each stage, so that an id from before is worth nothing afterwards."""
        session_id, lifetime = secrets.token_urlsafe(32), LIFETIMES[stage]
        session = Session(name, stage, time.time() + lifetime)
        with self._lock:
            self._sessions = {key: each for key, each in self._sessions.items() if each.ends_at > time.time()}
            self._sessions.pop(request.cookies.get("session"), None)
            self._sessions[session_id] = session
        response.set_cookie(
            "session", session_id, max_age=lifetime, httponly=True, secure=self._https_only, samesite="lax"
        )
        return session

    def find(self, request: Request) -> Session | None:
        session = self._sessions.get(request.cookies.get("session"))
        return session if session and session.ends_at > time.time() else None

    def end(self, request: Request, response: Response) -> None:
        with self._lock:
            self._sessions.pop(request.cookies.get("session"), None)
        response.delete_cookie("session")

    def end_others(self, session: Session) -> None:
        """Whoever else has come in as this user, perhaps with a stolen password or device, has to come in again."""
        with self._lock:
            others = {key for key, each in self._sessions.items() if each.name == session.name and each is not session}
            for key in others:
                del self._sessions[key]
