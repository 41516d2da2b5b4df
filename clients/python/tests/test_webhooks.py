"""That the service signs webhooks as `standardwebhooks` does: its own tests read the same file."""

import json
from datetime import datetime, timezone
from pathlib import Path

from standardwebhooks.webhooks import Webhook

VECTOR = json.loads((Path(__file__).parents[3] / "tests" / "vectors" / "webhook.json").read_text())


def test_a_webhook_is_signed_as_the_library_signs_it() -> None:
    at = datetime.fromtimestamp(VECTOR["timestamp"], timezone.utc)
    signed = Webhook(VECTOR["secret"]).sign(VECTOR["id"], at, VECTOR["body"])
    assert signed == VECTOR["signature"]
