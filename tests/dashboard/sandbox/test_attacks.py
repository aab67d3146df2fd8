"""The attacks, each layer by itself and all together; what counts is the disk afterwards, and what was learnt."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import pytest

from penstock.dashboard.sandbox.gate import Gate
from penstock.dashboard.sandbox.playground import Playground
from penstock.dashboard.sandbox.tables import NAMES
from penstock.errors import QueryError
from penstock.settings import Settings

from .attacks import ATTACKS, FILES
from .targets import SECRET, Outcome, Targets, confined, run

GATE = Gate(NAMES)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_gate_refuses_it(attack: str, targets: Targets) -> None:
    with pytest.raises(QueryError) as refused:
        GATE.check(targets.aimed(attack))
    assert refused.value.status == 400


def test_there_are_many() -> None:
    assert len(ATTACKS) > 250


def held(targets: Targets, attack: Callable[[Sequence[str]], list[Outcome]], attacks: Sequence[str]) -> list[Outcome]:
    """The outcomes, after which no file is other than before, and nobody knows what they should not."""
    before = targets.state()
    outcomes = attack(attacks)
    assert targets.state() == before
    assert [outcome for outcome in outcomes if SECRET in outcome.said or "root:" in outcome.said] == []
    return outcomes


@confined
@pytest.mark.heavy
def test_without_the_gate_it_does_no_harm(targets: Targets) -> None:
    outcomes = held(targets, targets.without_gate, ATTACKS)
    # None of them was able to end its process, or to outlive its time.
    assert [outcome for outcome in outcomes if outcome.said.startswith(("query_failed", "not_confined"))] == []
    at_files = [outcome for outcome in outcomes if outcome.attack in FILES and "{outside}" in outcome.attack]
    assert [outcome.attack for outcome in at_files if outcome.answered and "explain" not in outcome.attack] == []


@confined
@pytest.mark.heavy
def test_landlock_alone_holds_the_files(targets: Targets) -> None:
    outcomes = held(targets, targets.only_landlock, FILES)
    # DuckDB itself was willing: these are refused by the kernel.
    denied = [outcome for outcome in outcomes if "Permission denied" in outcome.said]
    assert len(denied) > 40


@confined
def test_other_layers_see_other_words_too(targets: Targets) -> None:
    """A few, also where the heavy tests are left out."""
    some = [
        "select * from read_text('{secret}')",
        "copy (select 1) to '{parquet}' (format parquet, use_tmp_file false)",
    ]
    assert [outcome.answered for outcome in held(targets, targets.without_gate, some)] == [False, False]
    assert [outcome.answered for outcome in held(targets, targets.only_landlock, some)] == [False, False]


@confined
def test_no_connection_is_made(targets: Targets) -> None:
    """Nobody knocks at a server that listens, though DuckDB alone would."""
    knocks: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)

        def listen() -> None:
            connection, _ = server.accept()
            knocks.append(connection.recv(1))
            connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        attacks = [f"install httpfs from '{url}'", f"attach '{url}/x.duckdb'", f"select * from read_text('{url}/x')"]
        held(targets, targets.without_gate, attacks)
        held(targets, targets.only_landlock, attacks)
        assert knocks == []
        with socket.create_connection(server.getsockname()) as ours:
            ours.sendall(b"!")
        thread.join(60)
    assert knocks == [b"!"]


@confined
def test_through_the_front_door(targets: Targets, settings: Settings) -> None:
    async def all_of_them() -> list[str]:
        async with Playground(settings) as playground:
            codes = []
            for attack in ATTACKS[::10]:
                for ask in (playground.run(targets.aimed(attack)), playground.export(targets.aimed(attack), "csv")):
                    with pytest.raises(QueryError) as refused:
                        await ask
                    codes.append(refused.value.code)
            return codes

    before = targets.state()
    assert set(run(all_of_them())) <= {"not_allowed", "one_statement", "syntax", "empty"}
    assert targets.state() == before
