"""Sessions in this process: with the real runtime, or with models and clocks that are played."""

import pytest

from adadeep_agent import session
from adadeep_agent.runner import Runtime
from fakes.agent_sessions import Asks, Played, PlayedClocks, PlayedModel


@pytest.fixture(scope="session")
def runtime():
    return Runtime.find()


@pytest.fixture
def asks(tmp_path, runtime):
    return Asks(tmp_path, runtime)


@pytest.fixture
def played(tmp_path, monkeypatch):
    device = Played(Asks(tmp_path, None), PlayedClocks(), [], {})

    def loaded(_, path, *__):
        number = int(path.rpartition("/")[2].partition(".")[0])
        run_ns = device.runs_ns.get(number, 1_000_000)
        script = run_ns if callable(run_ns) else lambda _: run_ns
        return PlayedModel(f"m{number}", script, device.clocks, device.events)

    monkeypatch.setattr(session, "Model", loaded)
    return device
