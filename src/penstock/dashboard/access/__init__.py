"""Who may see the dashboard.

access.check(settings, config)           before it starts: warnings, or a refusal
rules = access.rules_of(settings, saved)
access.routes(rules, templates)          /login, /logout and the password of shared pages
access.protect(app, rules)               around everything; pages find a Visitor in request.state.visitor
"""

from __future__ import annotations

from .guard import protect
from .judge import Visitor
from .login import routes
from .rules import Rules, rules_of
from .start import check

__all__ = ["Rules", "Visitor", "check", "protect", "routes", "rules_of"]
