"""Names of things: adadeep's own, and what installed packages add by entry points."""

import sys
from typing import Protocol

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.registry import Registry
from fakes import packages

GROUP = "adadeep.toys"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution: its entry points and its modules, as pip leaves them."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(name, entries, modules=None, **more):
        points = entries if isinstance(entries, bytes) else {GROUP: entries}
        packages.install(tmp_path, name, points, modules, **more)
        for module in modules or {}:
            monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def toys(protocol=None, **entries):
    return Registry[object]("toy", {"path": "pathlib:Path", **entries}, GROUP, protocol)


class Rolls(Protocol):
    name: str

    @property
    def colour(self) -> str: ...

    def roll(self) -> None: ...


def origin(registry, name):
    """Who brought an entry: "package 1.2"; of none nothing."""
    found = [f"{e.origin} {e.version}" for e in registry.entries if e.name == name]
    return "".join(found)


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
    assert origin(found, "ball") == "toys-of-mine 1.2"
    assert origin(found, "path").startswith("adadeep ")
    assert (origin(found, "gone"), found.problems) == ("", ())


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
    assert "of thief 1.2 is left out (adadeep has one of that name)" in found.problems[0]


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


@pytest.mark.parametrize(
    ("toy", "why"),
    [
        ("", "lacks name, colour, roll"),
        ("name, colour = 'ball', 'red'", "lacks roll"),
        ("name, colour, roll = 'bull', 'red', print", "calls itself 'bull'"),
    ],
)
def test_a_plugin_that_lacks_a_member_or_has_another_name_is_left_out(install, toy, why):
    lines = f"class Ball:\n    {toy or 'pass'}\nBALL = Ball()\n"
    install("half-toys", {"ball": "half_ball:BALL"}, {"half_ball": lines})
    found = toys(Rolls)
    assert set(found.usable()) == {"path"}
    assert why in found.problems[0]


def test_a_class_in_the_place_of_its_instance_is_told(install):
    lines = "class Ball:\n    name, colour, roll = 'ball', 'red', print\n"
    install("class-toys", {"ball": "class_ball:Ball"}, {"class_ball": lines})
    with pytest.raises(ConfigError, match="name an instance of it"):
        toys(Rolls).get("ball")


def test_a_whole_plugin_is_taken_and_imported_once(install, capsys):
    lines = "class Ball:\n    name, colour, roll = 'ball', 'red', print\nBALL = Ball()\n"
    lines = f"print('hello')\n{lines}"
    install("good-toys", {"ball": "whole_ball:BALL"}, {"whole_ball": lines})
    found = toys(Rolls)
    assert found.get("ball") is found.get("ball")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")  # stdout is the command's own


@pytest.mark.parametrize("name", ["two words", "x" * 41, "\x1b[2J", "a/b"])
def test_a_name_that_no_plan_could_hold_is_left_out(install, name):
    install("odd-toys", {name: "os:path"})
    found = toys()
    assert list(found) == ["path"]
    assert "its name must be" in found.problems[0]
    assert "\x1b" not in found.problems[0]


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (f"[{GROUP}]\nno equals sign\n".encode(), 1),
        (f"[{GROUP}]\n= os:path\n".encode(), 1),
        (f"[{GROUP}]\ny = os:path\n\xff".encode("latin-1"), 0),  # nobody knows whose it is
    ],
)
def test_a_package_with_damaged_entry_points_costs_no_other(install, damaged, told):
    install("bad-toys", damaged)
    install("good-toys", {"good": "os:path"})
    found = toys()
    assert set(found.usable()) == {"path", "good"}
    assert ["of bad-toys 1.2 is" in problem for problem in found.problems] == [True] * told


def test_a_package_without_name_and_version_is_taken_all_the_same(install):
    install("shy-toys", {"good": "os:path"}, metadata="")
    assert origin(toys(), "good") == "an unknown package ?"


def test_what_is_installed_is_listed_with_what_is_wrong(install):
    install("good-toys", {"good": "os:path"})
    install("bad-toys", {"bad": "no_such_module:BAD", "path": "thief:PATH"})
    listed = {one.name: one for one in toys().plugins()}
    assert set(listed) == {"good", "bad", "path"}
    good, bad = listed["good"], listed["bad"]
    assert (good.kind, good.package, good.version, good.problem) == (
        "toy",
        "good-toys",
        "1.2",
        None,
    )
    assert "ModuleNotFoundError" in bad.problem
    assert "has one of that name" in listed["path"].problem
