import json
import os

import pytest

from adadeep_agent.spool import Spool


@pytest.fixture
def spool(tmp_path):
    return Spool(str(tmp_path / "spool"))


def keep(spool, job, *messages):
    spooling = spool.begun(job)
    for message in messages:
        spooling.write(json.dumps(message).encode() + b"\n")
    spooling.finish()


def test_sessions_wait_until_they_are_removed_and_another_agent_finds_them(spool, tmp_path):
    keep(spool, "a-1", {"placement": 0}, {"job": "a-1"})
    keep(spool, "b-2", {"job": "b-2"})
    later = Spool(str(tmp_path / "spool"))
    assert [later.get(job) for job in later.jobs()] == [
        [{"placement": 0}, {"job": "a-1"}],
        [{"job": "b-2"}],
    ]
    later.remove(["a-1", "never-there"])
    assert spool.jobs() == ["b-2"]


def test_a_second_session_of_a_job_replaces_the_first_when_it_is_finished(spool):
    keep(spool, "a", {"n": 1})
    second = spool.begun("a")
    second.write(b'{"n":2}\n')
    assert spool.get("a") == [{"n": 1}]
    second.finish()
    assert spool.get("a") == [{"n": 2}]


def test_what_is_unfinished_is_not_there_and_goes_with_the_next_agent(spool, tmp_path):
    spooling = spool.begun("a")
    spooling.write(b'{"placement":0}\n')  # and the agent is killed
    assert spool.jobs() == []
    assert spool.get("a") == []
    Spool(str(tmp_path / "spool")).tidy()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_session_that_failed_leaves_nothing(spool, tmp_path):
    spooling = spool.begun("a")
    spooling.write(b'{"placement":0}\n')
    spooling.drop()
    spooling.write(b"late")
    spooling.finish()
    assert list((tmp_path / "spool").iterdir()) == []


def test_dropping_what_is_finished_does_nothing(spool):
    spooling = spool.begun("a")
    spooling.write(b'{"n":1}\n')
    spooling.finish()
    spooling.drop()
    assert spool.jobs() == ["a"]


def test_a_full_disk_ends_it_without_a_word(spool, tmp_path):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    spooling = spool.begun("a")
    spooling._file.close()
    spooling._file = Full()
    spooling.write(b"x")
    spooling.write(b"x")
    spooling.finish()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_torn_file_is_dropped_and_the_rest_still_read(spool, tmp_path):
    keep(spool, "good", {"n": 1})
    (tmp_path / "spool/torn.jsonl").write_text('{"n": 1}\n{"n": ')
    (tmp_path / "spool/empty.jsonl").write_text("")
    (tmp_path / "spool/list.jsonl").write_text("[]\n")
    (tmp_path / "spool/half.jsonl.part").write_text('{"n": ')
    (tmp_path / "spool/old.json").write_text("{}")  # of protocol 3
    assert [spool.get(job) for job in ("torn", "empty", "list")] == [[], [], []]
    assert spool.get("good") == [{"n": 1}]
    assert spool.jobs() == ["good"]
    spool.tidy()
    assert [p.name for p in (tmp_path / "spool").iterdir()] == ["good.jsonl"]


def test_of_too_many_the_oldest_are_dropped_when_an_agent_starts(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("adadeep_agent.spool._KEEP", 2)
    for age, job in enumerate(["new", "older", "oldest"]):
        keep(spool, job, {})
        os.utime(tmp_path / f"spool/{job}.jsonl", (1000 - age, 1000 - age))  # in 1970: no clock
    spool.tidy()
    assert spool.jobs() == ["new", "older"]


@pytest.mark.parametrize("job", ["", "../x", "a/b", ".hidden", "x" * 200, "a b"])
def test_a_job_can_not_name_a_file_elsewhere(spool, job, tmp_path):
    with pytest.raises(ValueError, match="no name"):
        spool.begun(job)
    spool.remove([job])
    assert spool.get(job) == []
    assert [p.name for p in tmp_path.iterdir()] == ["spool"]
