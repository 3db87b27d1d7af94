"""What a registry names is there."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import adadeep
from adadeep.core.registry import Registry


def registries() -> dict[str, Registry[object]]:
    found: dict[str, Registry[object]] = {}
    for module in pkgutil.walk_packages(adadeep.__path__, "adadeep."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Registry) and value not in found.values():
                found[f"{module.name}.{name}"] = value
    return found


@pytest.mark.tf
def test_every_entry_of_every_registry_can_be_imported() -> None:
    found = registries()
    assert found, "no registry in the whole package"
    for registry in found.values():
        assert [registry.get(name) for name in registry]
