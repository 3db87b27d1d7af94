"""The contract of every executor; what a study makes of them is in tests/unit/study."""

from __future__ import annotations

import pytest

from adadeep.study.executors.registry import EXECUTORS
from adadeep.study.jobs import ExecutorKind
from adadeep.testing.executors import ExecutorKit


class TestExecutor(ExecutorKit):
    @pytest.fixture(params=list(EXECUTORS))
    def kind(self, request: pytest.FixtureRequest) -> ExecutorKind:
        return EXECUTORS.get(request.param)

    def test_it_has_the_name_that_it_is_registered_by(self, kind: ExecutorKind) -> None:
        assert EXECUTORS.get(kind.name) is kind
