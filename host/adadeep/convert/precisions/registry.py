"""The precisions by name. Adding one is a file and a line here (and the contract tests run)."""

from __future__ import annotations

from adadeep.core.precision import Precision
from adadeep.core.registry import Registry

PRECISIONS: Registry[Precision] = Registry(
    "precision",
    {
        "float32": "adadeep.convert.precisions.float32:FLOAT32",
        "int8": "adadeep.convert.precisions.int8:INT8",
    },
    group="adadeep.precisions",
    protocol=Precision,
)
