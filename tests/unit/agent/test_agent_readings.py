import os

import pytest

from adadeep_agent import readings, wire
from adadeep_agent.readings import read_texts, reading
from adadeep_agent.wire import is_readable

CPU = "/sys/devices/system/cpu"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder in the place of /sys."""
    monkeypatch.setattr(wire, "READ_ROOTS", (f"{tmp_path}/",))
    monkeypatch.setattr(wire, "MAX_PATTERN", 1000)

    def written(**files):
        for name, data in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path

    return written


def test_files_are_given_as_they_are_and_missing_ones_as_none(tree):
    root = tree(a=b"41500\n", b=b"caf\xc3\xa9 \xff")
    wanted = [f"{root}/{name}" for name in ("a", "b", "gone", "a/below")]
    assert list(read_texts(wanted).values()) == ["41500\n", "caf\u00e9 \ufffd", None, None]


def test_a_pattern_stands_for_the_files_that_are_there(tree):
    root = tree(zone10__temp=b"1", zone2__temp=b"2", zone2__type=b"x", other__temp=b"3")
    (root / "zone3").mkdir()
    assert read_texts([f"{root}/zone*/temp"]) == {
        f"{root}/zone10/temp": "1",
        f"{root}/zone2/temp": "2",
    }
    assert len(read_texts([f"{root}/*/te*"])) == 3
    assert read_texts([f"{root}/none*/temp"]) == {}


def test_what_is_no_file_is_none(tree):
    root = tree(zone1__temp=b"1")
    assert read_texts([f"{root}/zone*"]) == {f"{root}/zone1": None}


def test_a_file_is_cut_at_its_bound_and_all_together_at_theirs(tree, monkeypatch):
    root = tree(**{f"f{n}": b"x" * 5000 for n in range(10)})
    monkeypatch.setattr(wire, "MAX_TEXTS_BYTES", 10_000)
    assert [len(text) for text in read_texts([f"{root}/f*"]).values()] == [4096, 4096, 1808]


def test_no_more_files_than_the_bound_are_read(tree, monkeypatch):
    root = tree(**{f"f{n}": b"x" for n in range(10)})
    monkeypatch.setattr(wire, "MAX_TEXTS", 3)
    assert len(read_texts([f"{root}/f*", f"{root}/f9"])) == 3


def test_a_fifo_does_not_keep_the_agent(tree):
    root = tree(a=b"1")
    os.mkfifo(root / "fifo")
    assert read_texts([f"{root}/*"])[f"{root}/a"] == "1"


@pytest.mark.parametrize(
    ("path", "may"),
    [
        (f"{CPU}/online", True),
        (f"{CPU}/cpu*/cpufreq/scaling_cur_freq", True),
        ("/proc/self/cgroup", True),
        ("/proc/self/root/etc/passwd", False),
        ("/proc/self/task/1/cwd/x", False),
        ("/proc/self/fd/0", False),
        ("/sys/../etc/passwd", False),
        ("/etc/passwd", False),
        ("sys/x", False),
        ("/sys", False),
        ("/sys/a\0b", False),
        ("/sys/" + "x" * 200, False),
        (7, False),
        (None, False),
    ],
)
def test_only_the_kernels_own_files_may_be_asked_for(path, may):
    assert is_readable(path) is may


def test_a_pattern_does_not_lead_where_a_path_may_not():
    found = readings.expanded("/proc/self/*/etc/passwd")
    assert [path for path in found if "/root/" in path or "/cwd/" in path] == []


def test_a_reading_of_this_machine_has_its_time_and_load():
    read = reading(["/proc/loadavg", f"{CPU}/online"])
    assert read["timestamp"] > 1.6e9
    assert float(read["texts"]["/proc/loadavg"].split()[0]) >= 0
