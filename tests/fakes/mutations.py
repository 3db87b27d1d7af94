"""Damages files and documents, the same way for the same seed: food for hostile tests."""

import copy
import json
import random

DEEP = "[" * 100_000
# As they stand in the text of a JSON document: NaN and 1e400 are no JSON, and some write them.
VALUES = (
    *("NaN", "-Infinity", "1e400", "1e300", "-1", "0", "3", "99999999999999999999999"),
    *("null", "true", "[]", "{}", '""', '"../../../../etc/x"', '"/etc/passwd"', '".hidden"'),
    *('"a b"', '"[/]"', '"\\u001b]0;x\\u0007"', '"\\u202e\\n\\r"', '"\\ud800"'),
    *(json.dumps("x" * 100_000), DEEP),
)
_MARK = "@@here@@"


def places(document, path=()):
    """Every path to a value in a JSON document."""
    inner = enumerate(document) if isinstance(document, list) else ()
    for name, value in document.items() if isinstance(document, dict) else inner:
        yield (*path, name)
        yield from places(value, (*path, name))


def with_value(document, path, text):
    """The document as bytes, with the value at a path replaced by that text."""
    changed = copy.deepcopy(document)
    _holder(changed, path)[path[-1]] = _MARK
    return json.dumps(changed).replace(json.dumps(_MARK), text).encode()


def without(document, path):
    """The document as bytes, less the value at a path."""
    changed = copy.deepcopy(document)
    del _holder(changed, path)[path[-1]]
    return json.dumps(changed).encode()


def _holder(document, path):
    for name in path[:-1]:
        document = document[name]
    return document


def mutated_json(document, rng: random.Random):
    """One damaged version of a JSON document."""
    path = rng.choice(list(places(document)))
    if rng.random() < 0.2:
        return without(document, path)
    return with_value(document, path, rng.choice(VALUES))


def mutated_bytes(data: bytes, rng: random.Random):
    """One damaged version of any file: cut off, bits flipped, a piece doubled or zeroed."""
    begin = rng.randrange(len(data))
    end = min(len(data), begin + rng.choice((1, 4, 100)))
    changed = bytes(byte ^ rng.randrange(1, 256) for byte in data[begin:end])
    return rng.choice(
        (
            data[:begin],
            data[:begin] + changed + data[end:],
            data[:end] + data[begin:],
            data[:begin] + bytes(end - begin) + data[end:],
        )
    )
