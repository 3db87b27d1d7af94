"""Which versions of operators a runtime has, as data: `NAME-VERSION.json` beside this file.

`UPDATE_RUNTIMES=1 pytest tests/contract/test_runtimes.py` makes them anew, by asking each runtime
for every operator in every version.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from adadeep.devices.parse.tflite import CUSTOM, operators_of

_PLAIN = re.compile(r"[A-Za-z0-9._+-]{1,80}")  # no path can be made of it
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class KnownOperator:
    """An operator that a runtime has.

    Attributes:
        name: "FULLY_CONNECTED".
        least: the first version that it has.
        most: the last one.
    """

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class RuntimeLimits:
    """What a runtime of one version can run.

    Attributes:
        runtime: as agents name it: "tensorflow-lite".
        version: of it.
        operators: those that it has, by their number in the format.
    """

    runtime: str
    version: str
    operators: Mapping[int, KnownOperator]

    def lacking(self, model: bytes) -> str | None:
        """What a model needs that it has not, for a sentence; None if nothing is known to lack.

        Operators that are not the format's own are left to the runtime: it may have been built
        with them.

        Args:
            model: a .tflite.
        """
        found = [self._lacking(op.number, op.version) for op in operators_of(model)]
        known = list(dict.fromkeys(filter(None, found)))
        more = f" and {len(known) - _MOST_SHOWN} more" if len(known) > _MOST_SHOWN else ""
        return ", ".join(known[:_MOST_SHOWN]) + more if known else None

    def _lacking(self, number: int, version: int) -> str | None:
        known = self.operators.get(number)
        if number == CUSTOM or (known and known.least <= version <= known.most):
            return None
        if known is None:
            return f"operator {number}, which it has not"
        return f"{known.name} of version {version}, of which it has {known.least} to {known.most}"


@functools.cache
def limits_of(runtime: str, version: str) -> RuntimeLimits | None:
    """What is known of a runtime; None if nothing is.

    Args:
        runtime: as an agent names it; foreign text.
        version: likewise; what stands behind a "+" tells builds of one version apart.
    """
    version = version.partition("+")[0]
    if not (_PLAIN.fullmatch(runtime) and _PLAIN.fullmatch(version)):
        return None
    file = importlib.resources.files(__package__) / f"{runtime}-{version}.json"
    if not file.is_file():
        return None
    rows = msgspec.json.decode(file.read_bytes(), type=list[tuple[int, str, int, int]])
    known = {number: KnownOperator(name, least, most) for number, name, least, most in rows}
    return RuntimeLimits(runtime, version, known)


def known_runtimes() -> tuple[RuntimeLimits, ...]:
    """All of which something is known."""
    files = importlib.resources.files(__package__).iterdir()
    names = sorted(file.name[:-5] for file in files if file.name.endswith(".json"))
    found = (limits_of(*name.rsplit("-", 1)) for name in names)
    return tuple(limits for limits in found if limits)
