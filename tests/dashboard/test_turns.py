from __future__ import annotations

import asyncio

from penstock.dashboard.turns import Turns


def order(*asked: tuple[str, bool], hurried: str = "", gone: str = "") -> list[str]:
    """In which order they are let in, one at a time, who all come while somebody is in."""

    async def run() -> list[str]:
        turns, found = Turns(1), list[str]()

        async def one(who: str, urgent: bool) -> None:
            await turns.enter(who, urgent=urgent)
            found.append(who)
            await asyncio.sleep(0)
            turns.leave()

        await turns.enter("first", urgent=False)
        tasks = {}
        for who, urgent in asked:
            tasks[who] = asyncio.create_task(one(who, urgent))
            await asyncio.sleep(0)
        turns.hurry(hurried)
        if gone:
            tasks.pop(gone).cancel()
            await asyncio.sleep(0)
        turns.leave()
        await asyncio.gather(*tasks.values())
        return found

    return asyncio.run(asyncio.wait_for(run(), 10))


def test_the_urgent_go_first_in_the_order_in_which_they_came() -> None:
    assert order(("late", False), ("a", True), ("b", True)) == ["a", "b", "late"]


def test_of_the_others_the_newest_goes_first() -> None:
    assert order(("a", False), ("b", False), ("c", False)) == ["c", "b", "a"]


def test_what_somebody_begins_to_wait_for_becomes_urgent() -> None:
    assert order(("a", False), ("b", True), ("c", False), hurried="a") == ["a", "b", "c"]


def test_whoever_goes_away_keeps_nobody_out() -> None:
    assert order(("a", True), ("b", True), gone="a") == ["b"]


def test_whoever_goes_away_when_let_in_lets_the_next_in() -> None:
    async def run() -> bool:
        turns = Turns(1)
        await turns.enter("first", urgent=True)
        second = asyncio.create_task(turns.enter("second", urgent=True))
        await asyncio.sleep(0)
        turns.leave()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await turns.enter("third", urgent=True)
        return True

    assert asyncio.run(asyncio.wait_for(run(), 10))


def test_so_many_at_once() -> None:
    async def run() -> int:
        turns, inside, most = Turns(2), 0, 0

        async def one(who: int) -> None:
            nonlocal inside, most
            await turns.enter(who, urgent=bool(who % 2))
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            turns.leave()

        await asyncio.gather(*(one(who) for who in range(20)))
        return most

    assert asyncio.run(asyncio.wait_for(run(), 10)) == 2
