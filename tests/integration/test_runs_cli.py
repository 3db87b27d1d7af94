from __future__ import annotations

import json
import shutil

import pytest

from adadeep.cli.main import cli, run
from adadeep.core.own_task import OwnTask
from adadeep.storage.journal import Journal
from fakes.lenet_run import played, truth, write_lenet_run
from fakes.runs import of_now, of_version_0_1
from fakes.search_parts import FakeBench
from unit.study.test_study import search, seeded


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of runs; not to be written to."""
    folder = tmp_path_factory.mktemp("made") / "runs"
    of_now(folder / "digits-box", 2)
    of_version_0_1(folder / "old" / "toy")
    search(folder / "going", seeded(4), 3)
    return folder


@pytest.fixture
def runs(made, tmp_path, monkeypatch):
    """A copy of it, as ./runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    shutil.copytree(made, "runs")
    return tmp_path / "runs"


def adadeep(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run(cli, ["runs", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def document(capsys, *arguments: str):
    code, out, _ = adadeep(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


# ---- list


def test_list_has_a_row_for_each_run_below_the_default_folder(capsys, runs):
    code, out, err = adadeep(capsys, "list")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert "finished" in rows["digits-box"]
    assert "Fake box, Other box" in rows["digits-box"]
    assert ": met" in rows["digits-box"]
    assert "of version 0.1" in rows["old/toy"]
    assert "unfinished" in rows["going"]
    assert "now: adadeep runs show runs/" in err


def test_list_takes_a_folder_that_is_a_run_itself(capsys, runs):
    assert "finished" in adadeep(capsys, "list", "runs/digits-box")[1]


def test_list_says_which_folder_is_damaged_and_why_and_shows_the_others(capsys, runs):
    (runs / "digits-box" / "plan.json").write_text("{")
    code, out, err = adadeep(capsys, "list")
    assert code == 0
    assert "can't be read" in out
    assert "unfinished" in out
    (line,) = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert line.startswith("warning: digits-box: runs/digits-box/plan.json can't be used")


def test_list_of_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert adadeep(capsys, "list") == (0, "No run in runs.\n", "now: adadeep search digits\n")
    code, _, err = adadeep(capsys, "list", "nowhere")
    assert code == 2
    assert "nowhere is no folder" in err


def test_list_as_json(capsys, runs):
    found = document(capsys, "list")
    assert found["schema"] == "adadeep.runs/1"
    by_state = {one["state"]: one for one in found["runs"]}
    assert by_state["finished"]["devices"] == ["Fake box", "Other box"]
    assert [winner["demand"] for winner in by_state["finished"]["winners"]] == ["met", "met"]
    assert by_state["unfinished"]["winners"] == []


# ---- show


def test_show_tells_how_it_was_searched_what_plans_cost_and_who_was_tested(capsys, runs):
    code, out, err = adadeep(capsys, "show", "runs/digits-box")
    assert code == 0
    for text in (
        "runs/digits-box  (finished)", "random default", "8 asked for", "all kept",
        "on Other box: accuracy loss <= 2.0 %, T <= 100 ms", "T measured, E analytic",
        "digits on Fake box", "digits on Other box", "initial network", "held-back samples",
    ):  # fmt: skip
        assert text in out
    assert "now: adadeep deploy runs/digits-box" in err


def test_of_an_own_network_show_says_what_goes_on_with_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    own, of = OwnTask("/my nets/net.keras", "/d.npz", trust_model=True), truth(3)
    write_lenet_run(tmp_path / "a run", of, played(of, 2), own=own)
    code, out, err = adadeep(capsys, "show", str(tmp_path / "a run"))
    assert code == 0
    assert "named      '/my nets/net.keras' --data /d.npz\n" in out
    assert f": adadeep search '/my nets/net.keras' --data /d.npz -o '{tmp_path}/a run'" in err
    session = document(capsys, "show", str(tmp_path / "a run"))["sessions"][0]
    assert session["own"]["model"] == own.model


def test_show_says_that_a_search_has_not_ended(capsys, runs):
    code, out, err = adadeep(capsys, "show", "runs/going")
    assert code == 0
    assert "fake on Fake box" in out
    assert "the command that began it goes on with it" in err


def test_show_shows_as_many_plans_as_are_wanted(capsys, runs):
    def plans(out):
        return [line for line in out.splitlines() if line.startswith("#") and ": " not in line]

    few = adadeep(capsys, "show", "runs/digits-box", "--top", "1")[1]
    all_ = adadeep(capsys, "show", "runs/digits-box", "--top", "100")[1]
    assert len(plans(few)) == 2  # on two devices
    assert len(plans(all_)) > 10


def test_show_shows_the_pareto_front_when_asked(capsys, runs):
    assert "Pareto" not in adadeep(capsys, "show", "runs/digits-box")[1]
    out = adadeep(capsys, "show", "runs/digits-box", "--pareto")[1]
    for title in ("Fake box", "Other box"):
        assert f"Pareto front on {title}" in out
    out = adadeep(capsys, "show", "runs/old/toy", "--pareto")[1]
    assert "no Pareto front on Another box: costs can't be told" in out


def test_show_of_version_0_1_has_what_its_plan_has(capsys, runs):
    code, out, _ = adadeep(capsys, "show", "runs/old/toy")
    assert code == 0
    for text in ("of version 0.1", "by dqn default, seed 0", "toy on Another box", "winner fc1"):
        assert text in out


def test_show_of_a_damaged_run_shows_the_rest(capsys, runs):
    (runs / "digits-box" / "journal.jsonl").write_text("{}\n[]\n{}\n")
    code, out, err = adadeep(capsys, "show", "runs/digits-box")
    assert code == 0
    assert "winner " in out
    assert "journal.jsonl, line 1" in err


def test_show_of_no_run(capsys, tmp_path):
    code, out, err = adadeep(capsys, "show", str(tmp_path))
    assert (code, out) == (2, "")
    assert "holds no search" in err


# ---- prune


def models(folder):
    return len(list((folder / "models").glob("*.tflite")))


def test_prune_says_what_it_would_remove_and_removes_it_only_when_told(capsys, runs):
    before = models(runs / "digits-box")
    code, out, _ = adadeep(capsys, "prune", "runs/digits-box", "--dry-run")
    assert code == 0
    assert f"{before - 2} networks" in out
    assert "initial network, winner" in " ".join(out.split())
    code, out, err = adadeep(capsys, "prune", "runs/digits-box")
    assert (code, out) == (2, "")
    assert "add --yes" in err
    assert models(runs / "digits-box") == before
    code, _, err = adadeep(capsys, "prune", "runs/digits-box", "--yes")
    assert code == 0
    assert models(runs / "digits-box") == 2
    assert "now: adadeep runs show runs/digits-box" in err
    assert f"2 of {before} are kept" in adadeep(capsys, "show", "runs/digits-box")[1]
    assert "0 networks" in adadeep(capsys, "prune", "runs/digits-box", "--yes")[1]


@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("n\n", 8), ("\n", 8)])
def test_prune_asks_on_a_terminal(capsys, runs, monkeypatch, answer, left):
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    code, _, err = adadeep(capsys, "prune", "runs/digits-box")
    assert code == 0
    assert "Remove these networks" in err
    assert models(runs / "digits-box") == left


def test_prune_of_several_touches_none_if_one_is_wrong(capsys, runs):
    before = models(runs / "digits-box")
    (runs / "going" / "journal.jsonl").write_text("{}\n[]\n{}\n")
    code, out, err = adadeep(capsys, "prune", "runs/digits-box", "runs/going", "--yes")
    assert (code, out) == (2, "")
    assert "runs/going is not pruned" in err
    assert models(runs / "digits-box") == before


def test_prune_is_refused_while_a_search_runs(capsys, runs):
    with Journal.open(runs / "digits-box"):
        code, _, err = adadeep(capsys, "prune", "runs/digits-box", "--yes")
        assert adadeep(capsys, "show", "runs/digits-box")[0] == 0
    assert code == 2
    assert "another search is running in" in err


def test_prune_warns_of_what_a_device_has_still_to_measure(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = FakeBench("Other box", "e" * 16)
    other.gone_after = 2
    search(tmp_path / "run", seeded(4), 12, benches=[FakeBench(), other])
    assert "not measured on every device yet" in adadeep(capsys, "prune", "run", "--dry-run")[2]


def test_prune_as_json(capsys, runs):
    found = document(capsys, "prune", "runs/digits-box", "runs/old/toy", "--yes")
    assert (found["schema"], found["removed"]) == ("adadeep.runs-prune/1", True)
    first, second = found["runs"]
    assert len(first["files"]) == first["networks"] > 0
    assert sorted(kept["why"] for kept in first["kept"]) == ["initial network", "winner"]
    assert second["networks"] == 0
