"""
Owns restarts of a site's instances, one after another: as a careless deployment does, as a careful one, and our own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from playbook.errors import StackError, Unavailable
from playbook.stack.ensemble import Ensemble, app_name
from playbook.stack.ground import Ground
from playbook.stack.health_check import DRAIN_S
from playbook.stack.protocol import InstanceRestart, RestartForm
from playbook.stack.servers import process_name

__all__ = ["LocalRollout", "come_home", "renew_app"]

_IN_FLIGHT_LIMIT_S = 30.0


class LocalRollout:
    """
    Restarts the instances of one state or scratch.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble

    def restart(self, form: RestartForm) -> tuple[InstanceRestart, ...]:
        """
        Restart each instance once the one before answers again; `graceful`: nobody is cut off (needs a proxy).

        What a service does itself on SIGTERM shows in both forms: one that turns unready, and goes on serving for
        its `drain_s`, loses nothing in the naive form either.
        """
        if form == "graceful":
            self._ensemble.require("proxy")
            return self._each(self._leave_gracefully)
        return self._each(lambda instance: self._ensemble.apps[instance].stop())

    def renew(self) -> None:
        """
        Restart each instance as fast as may be without sending anybody to one that is gone.
        """
        self._each(self._leave_quickly)

    def exchange(self) -> None:
        """
        Restart all instances at once: for a change after which the old ones have nothing left to serve.
        """
        for app in self._ensemble.apps:
            app.stop_quickly()
        self._ensemble.start_apps()
        self._ensemble.wait_until_serving(frozenset(range(len(self._ensemble.apps))))

    def _each(self, leave: Callable[[int], None]) -> tuple[InstanceRestart, ...]:
        done = []
        for instance in range(len(self._ensemble.apps)):
            left_at = time.time()
            leave(instance)
            self._ensemble.start_app(instance)
            self._ensemble.wait_until_serving(frozenset({instance}))
            done.append(InstanceRestart(instance, left_at, time.time()))
        return tuple(done)

    def _leave_gracefully(self, instance: int) -> None:
        self._drain(instance, least_s=DRAIN_S, most_s=_IN_FLIGHT_LIMIT_S)
        self._ensemble.apps[instance].stop()

    def _leave_quickly(self, instance: int) -> None:
        proxy = self._ensemble.proxy
        if proxy is not None and proxy.running() and len(self._ensemble.apps) > 1:
            self._drain(instance, least_s=0.0, most_s=1.0)
        self._ensemble.apps[instance].stop_quickly()

    def _drain(self, instance: int, *, least_s: float, most_s: float) -> None:
        proxy = self._ensemble.proxy
        if proxy is None:
            raise Unavailable("Without a proxy nobody can be kept away from an instance", hint="Ask for proxy first.")
        began = time.monotonic()
        proxy.runtime.drain(app_name(instance))
        while (waited_s := time.monotonic() - began) < most_s:
            if waited_s >= least_s and proxy.sessions(app_name(instance)) == 0:
                return
            time.sleep(0.02)


def renew_app(ground: Ground, ensemble: Ensemble, change: Mapping[str, object], *, all_at_once: bool = False) -> None:
    """
    Change what the record says of a state's app, and restart its instances; both is undone when they do not come up.

    Raises StackError then.
    """
    old = ground.record().states[ensemble.state]
    rollout = LocalRollout(ensemble)
    restart = rollout.exchange if all_at_once else rollout.renew

    def put(values: Mapping[str, object]) -> None:
        ground.file.update_state(ensemble.state, lambda now: now.model_copy(update=values))

    put(change)
    try:
        restart()
    except StackError:
        put({name: getattr(old, name) for name in change})
        if ground.control.running(process_name(ensemble.state)):
            restart()
        raise


def come_home(ground: Ground, ensemble: Ensemble) -> None:
    """
    Let an app that was served from elsewhere use its own server again; stop it if that does not run.

    Nothing happens when it is home already: of two that were served from in turn, only the last one is left.
    """
    if ground.record().states[ensemble.state].served_from is None:
        return
    home = {"served_from": None}
    if ground.control.running(process_name(ensemble.state)):
        renew_app(ground, ensemble, home, all_at_once=True)
        return
    for app in ensemble.apps:
        app.stop_quickly()
    ground.file.update_state(ensemble.state, lambda now: now.model_copy(update=home))
