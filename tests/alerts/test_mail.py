"""A notice by e-mail: what arrives, and that nothing in it becomes a header."""

from __future__ import annotations

import base64
import smtplib
import ssl
from email import message_from_string, policy
from pathlib import Path

import pytest

from hand_clock import NOON
from penstock.alerts.mail import message, send
from penstock.alerts.notice import Notice
from penstock.errors import PermanentError
from penstock.setting_sections import MailSettings

from .certificate import certificate
from .conftest import Post


def notice(name: str = "sales", says: str = "events is 0, below 5") -> Notice:
    return Notice(name, "firing", "traffic", [says], NOON, NOON, NOON, NOON)


def server(port: int, **more: object) -> MailSettings:
    return MailSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "starttls": False, "from": "p@shop.example", **more}
    )


def test_what_arrives(post: Post) -> None:
    send(notice(says="Ünï\r\nBcc: x@y\r\n.\r\nQUIT"), "me@shop.example", server(post.port), seconds=30)
    [(sender, to, text)] = post.mails
    assert ("<p@shop.example>" in sender, to) == (True, ["rcpt TO:<me@shop.example>"])
    mail = message_from_string(text, policy=policy.default)
    assert (mail["Subject"], mail["To"], mail["Bcc"]) == ("[penstock] sales (traffic)", "me@shop.example", None)
    assert mail.get_content_type() == "text/plain"
    assert "Ünï" in mail.get_content()


@pytest.mark.parametrize("text", ["a\nBcc: x@y", "a\r\nBcc: x@y", "a\rBcc: x@y"])
def test_no_header_can_be_added(text: str) -> None:
    with pytest.raises(ValueError):
        message(notice(name=text), "me@shop.example", "p@shop.example")
    with pytest.raises(ValueError):
        message(notice(), text, "p@shop.example")


def test_a_server_that_cannot_encrypt_is_refused(post: Post) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(notice(), "me@shop.example", server(post.port, starttls=True), seconds=30)
    assert post.mails == []


def test_the_password_goes_only_over_tls(post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, post.tls = certificate(tmp_path, "localhost")
    monkeypatch.setenv("PENSTOCK_MAIL_PASSWORD", "secret")
    settings = server(post.port, host="localhost", starttls=True, user="me")
    send(notice(), "me@shop.example", settings, seconds=30, context=trusted)
    words = [line.split()[0].upper() for line in post.said]
    assert words[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert base64.b64decode(post.said[3].split()[-1]) == b"\0me\0secret"
    assert len(post.mails) == 1


def test_a_server_of_another_name_is_refused(post: Post, tmp_path: Path) -> None:
    trusted, post.tls = certificate(tmp_path, "other.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        send(notice(), "me@shop.example", server(post.port, starttls=True), seconds=30, context=trusted)
    assert post.mails == []


def test_a_password_that_is_missing(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_MAIL_PASSWORD", raising=False)
    settings = server(post.port).model_copy(update={"user": "me"})
    with pytest.raises(PermanentError, match="PENSTOCK_MAIL_PASSWORD"):
        send(notice(), "me@shop.example", settings, seconds=30)


def test_a_server_that_drips_is_left(drip: int) -> None:
    with pytest.raises(OSError):
        send(notice(), "me@shop.example", server(drip), seconds=0.3)
