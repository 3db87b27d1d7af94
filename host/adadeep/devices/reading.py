"""What an agent read of a device at one moment: typed and bounded."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from adadeep.core.measurement import Conditions
from adadeep.core.reader import require_finite
from adadeep.devices.parse.conditions import conditions_of
from adadeep_agent import wire

_Path = Annotated[str, Meta(max_length=1000)]
_Content = Annotated[str, Meta(max_length=wire.MAX_TEXT_BYTES)]
_Said = Annotated[str, Meta(max_length=wire.MAX_COMMAND_BYTES)]


class Reading(msgspec.Struct, frozen=True):
    """What files of the device held at one moment, and what commands said.

    Attributes:
        timestamp: seconds since 1970, by the device's clock.
        texts: by path; None for a file that could not be read.
        commands: what each wrote to its stdout; None for one that could not be run, or failed.
    """

    timestamp: float
    texts: Annotated[dict[_Path, _Content | None], Meta(max_length=wire.MAX_TEXTS)]
    commands: Annotated[dict[_Path, _Said | None], Meta(max_length=wire.MAX_COMMANDS)]

    def __post_init__(self) -> None:
        require_finite("a timestamp", self.timestamp)
        if sum(map(len, filter(None, self.texts.values()))) > wire.MAX_TEXTS_BYTES:
            raise ValueError(f"its texts have more than {wire.MAX_TEXTS_BYTES} bytes")
        if sum(map(len, filter(None, self.commands.values()))) > wire.MAX_COMMANDS_BYTES:
            raise ValueError(f"its commands said more than {wire.MAX_COMMANDS_BYTES} bytes")

    @property
    def conditions(self) -> Conditions:
        """What they tell of the device's state."""
        return conditions_of(self.timestamp, self.texts, self.commands)
