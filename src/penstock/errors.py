"""What can go wrong, as one tree; every error says what happened and may carry a hint for the operator.

PenstockError
├── SettingsError      the settings cannot be used; exit code 2, nothing was started
├── Refused            a request whose envelope cannot be read; carries the HTTP status and a code
├── Transient          not now, try again: 503 to a sender, another round to a job
│   └── StreamFull     the stream has reached its bound with events that are not delivered yet
├── PermanentError     this input will never work; it is set aside with a reason
│   ├── BadFile        a file that cannot be read as a whole (carries the reason)
│   └── Declined       what is plugged in here cannot do this, and says so beforehand
├── QueryError         a query of the SQL playground has no answer; carries the HTTP status, a code and the place
└── LakeError          the lake is not in a state that we may write to; a person has to look
"""

from __future__ import annotations


class PenstockError(Exception):
    """Base of all of ours. `hint` tells the operator what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(PenstockError):
    """A setting is unknown, of the wrong type or out of range."""


class Refused(PenstockError):
    """The envelope of a request cannot be read; `status` is HTTP's, `code` is stable for programs."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class Transient(PenstockError):
    """Worth another try later; nothing was acknowledged."""


class StreamFull(Transient):
    """The bound on the stream's size is reached and only undelivered events are left."""


class PermanentError(PenstockError):
    """Trying again gives the same answer."""


class BadFile(PermanentError):
    """The file as a whole cannot be read; `reason` is the quarantine reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Declined(PermanentError):
    """The adapter does not promise this: a queue cannot be read again."""


class QueryError(PenstockError):
    """A query of the SQL playground has no answer. `status` is HTTP's, `code` is stable for programs.

    `line` and `column` say where in the text, from 1 on, if that is known.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.line = line
        self.column = column


class LakeError(PenstockError):
    """The lake was changed by somebody else or is damaged beyond what we repair by ourselves."""
