"""The alerts of the settings, round after round: which is due, does it hold, who is told. Nothing here ever raises."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from ..api import OpenLake
from ..clock import duration
from ..setting_sections import AlertSettings
from . import history
from . import state as states
from .judge import Found, clean, judge
from .layer import Layer, broken
from .notice import Notice
from .signals import signals
from .state import State
from .tell import tell

_GIVE_UP = timedelta(days=1)
"""After so long nobody wants to know any more."""


class Watch:
    """State is kept in the data folder; what a killed worker was about to tell is told by the next, perhaps twice."""

    def __init__(self, lake: OpenLake) -> None:
        self.lake = lake
        self.settings = lake.pipeline.settings
        self._states = states.load(self.settings.data)

    def round(self) -> list[str]:
        """Evaluate the one that has been due for longest, so that other jobs have their turn; returns what was told."""
        now = self.lake.pipeline.clock()
        due = [alert for alert in self.settings.alerts if _is_due(alert, self._state(alert), now)]
        if not due:
            return []
        alert = min(due, key=lambda one: self._state(one).evaluated or now - timedelta(days=36525))
        try:
            return self._evaluate(alert, self._state(alert), now)
        except Exception as error:  # for example a full disk; told or not, it is evaluated again next time
            structlog.get_logger().error("alert failed", alert=alert.name, error=repr(error))
            return []

    def check(self) -> dict[str, State]:
        """All of them as they are now; nothing is told or kept."""
        now = self.lake.pipeline.clock()
        found = states.load(self.settings.data)
        for alert in self.settings.alerts:
            self._look(alert, found.setdefault(alert.name, State()), now)
        return {alert.name: found[alert.name] for alert in self.settings.alerts}

    def _state(self, alert: AlertSettings) -> State:
        return self._states.setdefault(alert.name, State())

    def _evaluate(self, alert: AlertSettings, state: State, now: datetime) -> list[str]:
        notice = self._look(alert, state, now)
        if notice is not None:
            state.unsent, state.to = notice, list(alert.to)
        self._save()
        if notice is not None and (notice.state == "over" or notice.firing_since == now):
            history.add(self.settings.data, notice)
        if state.unsent is None:
            return []
        if now - state.unsent.at > _GIVE_UP:
            state.to = []
        waiting = [target for target in state.to if target in alert.to]
        state.to, subject = tell(state.unsent, waiting, self.settings), state.unsent.subject
        if not state.to:
            state.unsent = None
        self._save()
        return [subject] if len(state.to) < len(waiting) else []

    def _save(self) -> None:
        names = {alert.name for alert in self.settings.alerts}
        self._states = {name: state for name, state in self._states.items() if name in names}
        states.save(self.settings.data, self._states)

    def _look(self, alert: AlertSettings, state: State, now: datetime) -> Notice | None:
        """What is so now, into `state`; and what there is to tell of it."""
        state.evaluated = now
        try:
            found = judge(alert, self.lake)
        except Exception as error:
            hint = getattr(error, "hint", "")
            state.error = clean(f"{error}{f'; {hint}' if hint else ''}" or repr(error))
            structlog.get_logger().error("alert cannot be evaluated", alert=alert.name, error=state.error)
            return None
        state.error, state.says = "", list(found.says)
        if found.holds:
            return self._holds(alert, state, found, now)
        since, layer = state.firing_since, state.layer
        state.firing_since, state.told, state.layer = None, None, ""
        return _notice(alert, "over", layer, found, since, now) if since else None

    def _holds(self, alert: AlertSettings, state: State, found: Found, now: datetime) -> Notice | None:
        state.firing_since = state.firing_since or now
        state.layer = self._layer(found)
        if state.told is not None and now - state.told < duration(alert.repeat):
            return None
        state.told = now
        return _notice(alert, "firing", state.layer, found, state.firing_since, now)

    def _layer(self, found: Found) -> Layer:
        try:
            return broken(signals(self.lake, found.since, found.until))
        except Exception as error:  # books that cannot be read are the pipeline's trouble
            structlog.get_logger().error("the stages cannot say how they are", error=repr(error))
            return Layer.pipeline


def _is_due(alert: AlertSettings, state: State, now: datetime) -> bool:
    """Also if the clock was put back."""
    return state.evaluated is None or not timedelta() <= now - state.evaluated < duration(alert.every)


def _notice(alert: AlertSettings, word: str, layer: str, found: Found, firing_since: datetime, now: datetime) -> Notice:
    return Notice(alert.name, word, layer, list(found.says), firing_since, found.since, found.until, now)
