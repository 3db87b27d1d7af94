"""The executors by name."""

from __future__ import annotations

from adadeep.core.registry import Registry
from adadeep.study.jobs import ExecutorKind

EXECUTORS: Registry[ExecutorKind] = Registry(
    "executor",
    {
        "serial": "adadeep.study.executors.serial:SERIAL",
        "overlapped": "adadeep.study.executors.overlapped:OVERLAPPED",
    },
    group="adadeep.executors",
    protocol=ExecutorKind,
)
