"""Every kind of agent keeps the promises of `core.agent_kind`, its agent those of PROTOCOL.md."""

from __future__ import annotations

import pytest

from adadeep.core.agent_kind import AgentKind
from adadeep.devices.agent_kinds.registry import AGENT_KINDS
from adadeep.testing.agent_kinds import AgentKindKit


@pytest.mark.agent_life
class TestAgentKind(AgentKindKit):
    @pytest.fixture(params=list(AGENT_KINDS))
    def kind(self, request: pytest.FixtureRequest) -> AgentKind:
        return AGENT_KINDS.get(request.param)

    def test_it_is_registered_under_its_own_name(self, kind: AgentKind) -> None:
        assert [name for name in AGENT_KINDS if AGENT_KINDS.get(name) is kind] == [kind.name]
