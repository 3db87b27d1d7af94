import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.places import cache_dir, expanded


def test_the_cache_follows_xdg_else_it_is_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == tmp_path / ".cache" / "adadeep"
    monkeypatch.setenv("XDG_CACHE_HOME", "~/of mine")
    assert cache_dir() == tmp_path / "of mine" / "adadeep"


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_the_cache_is_absolute_whatever_is_named(tmp_path, monkeypatch, variable):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, "here")
    monkeypatch.chdir(tmp_path)
    assert cache_dir().is_absolute()
    assert (tmp_path / "here") in cache_dir().parents


@pytest.mark.parametrize(
    ("variable", "value"), [("XDG_CACHE_HOME", "~nobody-there"), ("HOME", "~nobody-there")]
)
def test_a_home_that_is_not_there_is_one_sentence(monkeypatch, variable, value):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match="set HOME"):
        cache_dir()


def test_a_path_without_a_tilde_stays_as_it_is():
    assert str(expanded("a/~b")) == "a/~b"
