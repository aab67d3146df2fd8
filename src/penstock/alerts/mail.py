"""A notice as an e-mail, plain text, through the operator's SMTP server."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
import time
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from ..errors import PermanentError
from ..setting_sections import MAIL_PASSWORD, MailSettings
from .dial import at_most, dial
from .notice import Notice


def send(
    notice: Notice, to: str, settings: MailSettings, *, seconds: float, context: ssl.SSLContext | None = None
) -> None:
    """Returns when the server has taken it. Raises PermanentError, Transient, OSError (smtplib's errors are some)."""
    deadline = time.monotonic() + seconds
    if settings.host is None:
        raise PermanentError("[mail] host does not say through which server")
    written = message(notice, to, settings.sender)
    connection = dial(settings.host, settings.port, seconds, private=True)
    with connection, at_most(connection, deadline - time.monotonic()):
        server = _Server(connection, settings.host)
        try:
            if settings.starttls:
                server.starttls(context=context or ssl.create_default_context())
            if settings.user is not None:
                server.login(settings.user, _password())
            server.send_message(written, settings.sender, [to])
            server.quit()
        finally:
            server.close()


def message(notice: Notice, to: str, sender: str) -> EmailMessage:
    """Raises ValueError for a line break in what becomes a header: EmailMessage takes none."""
    found = EmailMessage()
    found["From"] = sender
    found["To"] = to
    found["Subject"] = f"[penstock] {notice.subject}"
    found["Date"] = format_datetime(notice.at)
    found["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(notice.text, cte="quoted-printable")
    return found


class _Server(smtplib.SMTP):
    """Over a connection that is there already."""

    def __init__(self, connection: socket.socket, host: str) -> None:
        self._connection = connection
        super().__init__(host, timeout=connection.gettimeout() or 1, local_hostname=socket.gethostname())

    def _get_socket(self, *_: Any) -> socket.socket:
        return self._connection


def _password() -> str:
    try:
        return os.environ[MAIL_PASSWORD]
    except KeyError:
        raise PermanentError(f"[mail] has a user, but {MAIL_PASSWORD} is not set") from None
