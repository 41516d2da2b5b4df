"""How often a password may be tried."""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

FREE_TRIES = 5
LONGEST_WAIT = 900
FORGOTTEN_AFTER = 24 * 3600


@dataclass
class Tries:
    count: int = 0
    free_at: float = 0
    last_at: float = 0


class Throttle:
    """The fifth wrong password in a row makes its name wait half a minute, each further one twice as long.

    A try is counted before the password is looked at, and taken back if it was right: of many that arrive at the same
    moment no more are looked at than of many that arrive one by one. Names without an account are counted too, so
    that nobody learns which have one. Counts are forgotten by age and for no other reason: however many names are
    tried, none is freed for the sake of the others. In memory; several processes would share a database for it.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, Tries] = OrderedDict()  # The latest try comes last.

    def count(self, name: str) -> int:
        """Counts a try. If it is one too many, counts nothing and answers the seconds to wait."""
        now = self._clock()
        with self._lock:
            self._forget_old(now)
            tries = self._tries.setdefault(name, Tries())
            if tries.free_at > now:
                return math.ceil(tries.free_at - now)
            tries.count += 1
            tries.last_at = now
            if tries.count >= FREE_TRIES:
                tries.free_at = now + min(30 * 2 ** min(tries.count - FREE_TRIES, 5), LONGEST_WAIT)
            self._tries.move_to_end(name)
            return 0

    def take_back(self, name: str) -> None:
        """The password was right."""
        with self._lock:
            self._tries.pop(name, None)

    def _forget_old(self, now: float) -> None:
        while self._tries and next(iter(self._tries.values())).last_at < now - FORGOTTEN_AFTER:
            self._tries.popitem(last=False)
