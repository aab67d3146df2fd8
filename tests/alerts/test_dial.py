"""Only addresses that are allowed, and the very one that was checked."""

from __future__ import annotations

import contextlib
import time

import pytest

from penstock.alerts.dial import at_most, dial, is_public, look_up
from penstock.errors import PermanentError, Transient

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a00:1::", "2001:0:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_nobody_is_called_there(address: str) -> None:
    with pytest.raises(PermanentError, match="no public address"):
        dial("inner.example", 80, 1, private=False, resolve=lambda *_: ["1.1.1.1", address])


def test_a_name_is_resolved_once_and_that_address_is_called(drip: int) -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    with dial("rebinding.example", drip, 5, private=True, resolve=lambda *_: answers.pop(0)) as connected:
        assert connected.getpeername() == ("127.0.0.1", drip)
    assert answers == [["127.0.0.2"]]


def test_the_next_address_if_one_does_not_answer(drip: int) -> None:
    with dial("two.example", drip, 5, private=True, resolve=lambda *_: ["::1", "127.0.0.1"]) as connected:
        assert connected.getpeername()[0] == "127.0.0.1"


def test_nobody_there(nobody: int) -> None:
    with pytest.raises(Transient, match="cannot be reached"):
        dial("127.0.0.1", nobody, 5, private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "::1"])
def test_this_machine_by_any_name(host: str) -> None:
    assert not any(map(is_public, look_up(host, 80, 30)))


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(Transient, match="cannot be resolved"):
        look_up("a..b", 80, 30)


def test_a_connection_is_cut_though_it_is_alive(drip: int) -> None:
    with dial("127.0.0.1", drip, 5, private=True) as connected, at_most(connected, 0.1):
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):  # what came after the cut is answered with a reset
            while connected.recv(1):
                assert time.monotonic() - began < 60
