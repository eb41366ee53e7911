"""
Owns what each user of the swarm does: sign in, then ask for what the target's traffic names, as often as it weighs.

Closed loops, for pressing a service by hand from several workers; what is judged comes from `playbook load`, which
sends at intended times. The mounted file says who signs in and how, and what is asked.
"""

from __future__ import annotations

import json
import random
from itertools import cycle
from pathlib import Path

from locust import HttpUser, between, task  # type: ignore[attr-defined]

TRAFFIC = json.loads(Path("/run/secrets/traffic").read_text(encoding="utf-8"))
OPERATIONS = TRAFFIC["operations"]
CALLERS = cycle(TRAFFIC["callers"] or [None])


class Caller(HttpUser):
    """
    One user of one tenant.
    """

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """
        Sign in, where the target says how.
        """
        who = next(CALLERS)
        if who is not None:
            answer = self.client.post(TRAFFIC["login"]["path"], json=who, name="sign in")
            answer.raise_for_status()
            self.client.headers["Authorization"] = f"Bearer {answer.json()[TRAFFIC['login']['token']]}"

    @task
    def ask(self) -> None:
        """
        Send one request of the traffic.
        """
        weights = [one["weight"] for one in OPERATIONS]
        one = random.choices(OPERATIONS, weights)[0]  # noqa: S311 (a traffic model)
        self.client.request(one["method"], one["path"], name=one["id"])
