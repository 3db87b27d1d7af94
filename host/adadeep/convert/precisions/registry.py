"""The precisions by name. Adding one is a file and a line here (and the contract tests run)."""

from __future__ import annotations

from collections.abc import Collection

from adadeep.core.precision import Precision, is_searched
from adadeep.core.registry import Registry

PRECISIONS: Registry[Precision] = Registry(
    "precision",
    {
        "float32": "adadeep.convert.precisions.float32:FLOAT32",
        "int8": "adadeep.convert.precisions.int8:INT8",
        "float16": "adadeep.convert.precisions.float16:FLOAT16",
        "int8_inner": "adadeep.convert.precisions.int8_inner:INT8_INNER",
    },
    group="adadeep.precisions",
    protocol=Precision,
)


def of_a_search(named: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the precisions that a search decides between.

    Args:
        named: what its user named: with it come those that are not searched by themselves.
    """
    usable = PRECISIONS.usable().items()
    return tuple(name for name, one in usable if is_searched(one) or name in named)
