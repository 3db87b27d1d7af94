"""Names of things: adadeep's own, and what installed packages add by entry points."""

import sys

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.registry import Registry

GROUP = "adadeep.toys"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution: its entry points and its modules, as pip leaves them."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(name, entries, modules=None, version="1.2"):
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        lines = "".join(f"{entry} = {target}\n" for entry, target in entries.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        for module, text in (modules or {}).items():
            (tmp_path / f"{module}.py").write_text(text)
            monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def toys(**entries):
    return Registry[object]("toy", {"path": "pathlib:Path", **entries}, group=GROUP)


def test_a_registry_imports_late_and_suggests_the_nearest_name():
    found = toys(bad="no.such.module:X")
    assert list(found) == ["path", "bad"]
    assert found.get("path").__name__ == "Path"
    with pytest.raises(ConfigError, match="Did you mean 'path'"):
        found.get("paht")


def test_an_installed_package_adds_an_entry_with_its_origin(install):
    install("toys-of-mine", {"ball": "mine_ball:BALL"}, {"mine_ball": "BALL = 'a ball'\n"})
    found = toys()
    assert list(found) == ["path", "ball"]
    assert found.get("ball") == "a ball"
    assert [entry.is_plugin for entry in found.entries] == [False, True]
    assert found.origin("ball") == "toys-of-mine 1.2"
    assert found.origin("path").startswith("adadeep ")
    assert (found.origin("gone"), found.problems) == ("", ())


def test_an_attribute_of_an_attribute_is_an_entry_too(install):
    install("toys-of-mine", {"join": "os:path.join"})
    assert toys().get("join")("a", "b").startswith("a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_thing\n", "ModuleNotFoundError"),
        ("raise RuntimeError('\\x1b[2J broken')\n", "RuntimeError"),
        ("", "AttributeError"),
        ("import sys\nsys.exit(3)\n", "SystemExit"),
    ],
)
def test_a_plugin_that_can_not_be_imported_costs_no_other(install, text, why):
    install("good-toys", {"good": "good_toy:GOOD"}, {"good_toy": "GOOD = 1\n"})
    install("bad-toys", {"bad": "bad_toy:BAD"}, {"bad_toy": text})
    found = toys()
    assert set(found.usable()) == {"path", "good"}
    assert list(found) == ["path", "bad", "good"]
    assert found.usable()["good"] == 1
    (problem,) = found.problems
    assert "bad-toys 1.2" in problem
    assert why in problem
    assert "\x1b" not in problem
    with pytest.raises(ConfigError, match="bad-toys"):
        found.get("bad")


def test_a_broken_entry_of_our_own_is_our_fault_and_not_passed_over():
    with pytest.raises(ModuleNotFoundError):
        toys(bad="no.such.module:X").usable()


def test_a_plugin_can_not_take_a_name_of_ours(install):
    install("thief", {"path": "thief:PATH"}, {"thief": "PATH = 'mine'\n"})
    found = toys()
    assert found.get("path").__name__ == "Path"
    assert "thief 1.2 is left out" in found.problems[0]


def test_of_two_plugins_that_want_one_name_neither_gets_it(install):
    install("one", {"ball": "one_ball:BALL"}, {"one_ball": "BALL = 1\n"})
    install("two", {"ball": "two_ball:BALL"}, {"two_ball": "BALL = 2\n"})
    found = toys()
    assert "ball" not in found
    assert "one has one of that name" in found.problems[0]
    with pytest.raises(ConfigError, match="unknown toy"):
        found.get("ball")


def test_a_package_that_is_there_twice_is_one(install):
    install("twice", {"ball": "twice_ball:BALL"}, {"twice_ball": "BALL = 1\n"})
    install("twice", {"ball": "twice_ball:BALL"}, version="1.3")
    assert toys().get("ball") == 1
