"""The way over Kafka: two collectors and two that deliver share a topic and a lake; both of these and the broker are
killed on the way. What was acknowledged is stored once, a duplicate, or in quarantine.

100,000 events take a minute, most of it starts and outages. TEST_KAFKA_EVENTS=1000000 is the proof with a million.
`benchmarks/kafka.py` sends as many the same way, and prints how fast that went, beside a reference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import kafka_in_hand
from kafka_run import BATCH, SOUND_OF_A_BATCH, run

pytestmark = pytest.mark.heavy
kafka = kafka_in_hand.kafka
EVENTS = int(os.environ.get("TEST_KAFKA_EVENTS", "100000"))


def test_what_is_acknowledged_is_stored_or_a_duplicate_or_in_quarantine(
    kafka: kafka_in_hand.Broker, tmp_path: Path
) -> None:
    found = run(kafka, tmp_path, EVENTS)
    assert (found.lost, found.stored) == (0, EVENTS * SOUND_OF_A_BATCH // BATCH)
    assert found.received == found.stored + found.duplicate + found.quarantined
    assert found.acknowledged == found.received - found.unsaid
    assert min(found.stored, found.duplicate, found.quarantined, found.refused) > 0
    assert found.problems == []
