"""Stage 3: the stream's batches as gz JSONL objects, untouched, by minute of arrival: the system of record.

Beside the objects, `inbox/` names those that silver has not taken yet; finding what is new never lists history.
"""
