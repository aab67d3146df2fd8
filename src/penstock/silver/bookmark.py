"""What the next batch reads, written down before it is read: a crash repeats exactly that list.

The only bookmark is the batch number in silver's own commit; a plan with a higher number is still to be done, any
other is done.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ..errors import LakeError, Transient
from ..objects import Objects

_FOLDER = "plans/"


Kind = Literal["refine", "replay", "erase"]


class Plan(msgspec.Struct, frozen=True):
    """Batch number `batch` reads exactly the objects `inputs`, in this order.

    `kind` is the module that does it, `what` names and values for it; whoever finds a plan that was left finishes it.
    """

    batch: int
    inputs: tuple[str, ...]
    kind: Kind = "refine"
    what: tuple[tuple[str, str], ...] = ()


def pending(silver: Objects, committed: int) -> Plan | None:
    """The plan that was frozen but not committed, if there is one."""
    try:
        return msgspec.json.decode(silver.get(_key(committed + 1)), type=Plan)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise LakeError(
            f"the plan of batch {committed + 1} is damaged", hint="remove it; its inputs are in the inbox"
        ) from error


def freeze(silver: Objects, plan: Plan) -> Plan:
    """Write the plan down; if another worker was first, its plan is the one that counts. Raises Transient."""
    if silver.put(_key(plan.batch), msgspec.json.encode(plan), create=True):
        return plan
    first = pending(silver, plan.batch - 1)
    if first is None:
        raise Transient(f"another worker did batch {plan.batch} at the same moment")
    return first


def forget(silver: Objects, batch: int) -> None:
    """Drop the plan of a batch whose commit is durable and whose inbox markers are gone."""
    silver.delete(_key(batch))


def _key(batch: int) -> str:
    return f"{_FOLDER}{batch:012}.json"
