"""A file that is an array, or objects without line breaks between them (as Firehose writes) → the text of each."""

from __future__ import annotations

import json

from ..errors import BadFile


def is_document(start: bytes) -> bool:
    """`start` is of a file's first bytes enough to hold its first line, if that is no longer than a line may be."""
    first = start[:256].lstrip()[:1]
    return first == b"[" or (first == b"{" and not _first_line_is_one_object(start))


def _first_line_is_one_object(start: bytes) -> bool:
    """False if the first line goes on after its object, or is only the opening brace of one that follows."""
    first, _, rest = start.lstrip().partition(b"\n")
    first = first.strip()
    if b"}{" not in first and first.endswith(b"}"):
        return True
    try:
        text = first.decode()
        _, stop = json.JSONDecoder().raw_decode(text)
    except (UnicodeDecodeError, RecursionError):
        return True
    except ValueError:
        return first != b"{" or not rest.lstrip().startswith((b'"', b"}"))
    return not text[stop:].strip()


def elements(plain: bytes) -> tuple[list[str], str]:
    """(each object as one line, what follows and cannot be read). Raises BadFile if it is no text."""
    texts: list[str] = []
    try:
        text = plain.decode()
    except UnicodeDecodeError as error:
        raise BadFile("bad_encoding", "the file is not UTF-8") from error
    decoder = json.JSONDecoder()
    position, end = 0, len(text)
    while position < end:
        if text[position] in " \t\r\n,[]":
            position += 1
            continue
        try:
            _, stop = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return texts, text[position:]
        texts.append(text[position:stop].replace("\n", " ").replace("\r", " "))
        position = stop
    return texts, ""
