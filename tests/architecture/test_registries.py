"""What a registry names is there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re

import pytest

import adadeep
from adadeep.core.registry import Registry
from adadeep.study import plugins


@functools.cache
def registries() -> dict[str, Registry[object]]:
    found: dict[str, Registry[object]] = {}
    for module in pkgutil.walk_packages(adadeep.__path__, "adadeep."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Registry) and value not in found.values():
                found[f"{module.name}.{name}"] = value
    return found


def test_each_that_other_packages_add_to_is_in_the_list_of_them() -> None:
    open_ones = {one for one in registries().values() if one.group is not None}
    assert open_ones == set(plugins.registries())


def test_entry_points_and_what_an_entry_must_be_are_told_of_each() -> None:
    for registry in plugins.registries():
        assert re.fullmatch(r"adadeep\.[a-z_]+s", registry.group or "")
        assert registry.members, registry.kind


@pytest.mark.tf
def test_every_entry_of_every_registry_can_be_imported() -> None:
    found = registries()
    assert found, "no registry in the whole package"
    for registry in found.values():
        assert [registry.get(name) for name in registry]
