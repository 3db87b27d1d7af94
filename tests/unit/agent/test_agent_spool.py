import os

import pytest

from adadeep_agent.spool import Spool


@pytest.fixture
def spool(tmp_path):
    return Spool(str(tmp_path / "spool"))


def test_results_wait_until_they_are_removed_and_another_agent_finds_them(spool, tmp_path):
    spool.put("a-1", {"job": "a-1", "n": 1})
    spool.put("b-2", {"job": "b-2", "n": 2})
    later = Spool(str(tmp_path / "spool"))
    assert [later.get(job)["n"] for job in later.jobs()] == [1, 2]
    later.remove(["a-1", "never-there"])
    assert spool.jobs() == ["b-2"]


def test_a_second_result_of_a_job_replaces_the_first(spool):
    spool.put("a", {"n": 1})
    spool.put("a", {"n": 2})
    assert spool.get("a") == {"n": 2}


def test_a_torn_file_is_dropped_and_the_rest_still_read(spool, tmp_path):
    spool.put("good", {"n": 1})
    (tmp_path / "spool/torn.json").write_text('{"n": ')
    (tmp_path / "spool/half.json.part").write_text('{"n": ')
    assert spool.get("torn") is None
    assert spool.get("good") == {"n": 1}
    assert spool.jobs() == ["good"]
    spool.tidy()
    assert [p.name for p in (tmp_path / "spool").iterdir()] == ["good.json"]


def test_of_too_many_the_oldest_are_dropped_when_an_agent_starts(spool, tmp_path, monkeypatch):
    monkeypatch.setattr("adadeep_agent.spool._KEEP", 2)
    for age, job in enumerate(["new", "older", "oldest"]):
        spool.put(job, {})
        os.utime(tmp_path / f"spool/{job}.json", (1000 - age, 1000 - age))  # in 1970: no clock
    spool.tidy()
    assert spool.jobs() == ["new", "older"]


@pytest.mark.parametrize("job", ["", "../x", "a/b", ".hidden", "x" * 200, "a b"])
def test_a_job_can_not_name_a_file_elsewhere(spool, job, tmp_path):
    with pytest.raises(ValueError, match="no name"):
        spool.put(job, {})
    spool.remove([job])
    assert spool.get(job) is None
    assert [p.name for p in tmp_path.iterdir()] == ["spool"]
