"""The agent's end of the pipe: requests wait in order, a cancel is seen at once."""

import io

import pytest

from adadeep_agent.serve import Channel, HostGone


@pytest.mark.parametrize(
    ("line", "cancels"),
    [
        (b'{"id":4,"type":"cancel"}\n', True),
        (b'{ "type" : "cancel", "id" : 4 }\n', True),
        (b'{"id":4,"job":"cancel","type":"fetch"}\n', False),
        (b'{"id":4,"jobs":["cancel"],"type":"ack"}\n', False),
        (b'"cancel"\n', False),
        (b'{"type":"bye"}\n', False),
    ],
)
def test_only_a_cancel_cancels(line, cancels):
    channel = Channel(io.BytesIO(line), io.BytesIO())
    assert channel.next_request() == line
    assert channel.next_request() is None  # all was read
    assert channel.cancelled.is_set() is cancels
    assert channel.ended.is_set()


def test_who_can_not_be_written_to_is_gone():
    class Broken(io.BytesIO):
        def write(self, _):
            raise BrokenPipeError

    with pytest.raises(HostGone):
        Channel(io.BytesIO(), Broken()).send({"type": "done", "id": 1})
