"""What a search is going to take, told before its first plan is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from adadeep.core.clock import Deadline
from adadeep.core.plan import CompressionPlan
from adadeep.core.units import format_duration
from adadeep.storage.records import JournalContent

_CANDIDATE_SHARE = 0.2  # of what measuring the initial network took, which is measured better
_LEAST_S = 0.5  # below, nothing is said of it


@dataclass(frozen=True, slots=True)
class Price:
    """About what is to come; where training is beside measuring, both take their time at once.

    Attributes:
        plans: how many.
        making_s: to train, convert and judge their networks.
        measuring_s: on all devices.
        devices: how many measure.
    """

    plans: int
    making_s: float
    measuring_s: float
    devices: int = 1

    @property
    def text(self) -> str:
        """For people: "about 25 plans: 3 min of training, 40 s on the device"."""
        where = "on the device" if self.devices == 1 else f"on {self.devices} devices"
        parts = ((self.making_s, "of training"), (self.measuring_s, where))
        said = [f"{format_duration(time)} {what}" for time, what in parts if time >= _LEAST_S]
        plans = f"about {self.plans} {'plan' if self.plans == 1 else 'plans'}"
        return f"{plans}: {', '.join(said)}" if said else plans


def price_of(
    content: JournalContent,
    plans: int,
    fine_tuning_s: float | None,
    devices: int,
    until: Deadline | None,
) -> Price:
    """The price of plans, by what those before took; before the first by the initial network.

    Args:
        content: of the journal; the initial network is measured.
        plans: how many are to come, were there time without end.
        fine_tuning_s: that training a network takes, beside what making the initial one took;
            None where that is not known.
        devices: how many measure.
        until: the moment after which no plan is begun; None if there is none.
    """
    initial = content.trials[CompressionPlan().key]
    made = [trial for trial in content.trials.values() if trial.artifact and trial is not initial]
    first = 0.0 if fine_tuning_s is None else initial.making_s + fine_tuning_s
    making_s = _mean([trial.making_s for trial in made], first)
    first_s = _CANDIDATE_SHARE * initial.measuring_s
    measuring_s = _mean([trial.measuring_s for trial in made], first_s)
    if until is not None and making_s + measuring_s > 0:
        plans = min(plans, max(1, round(until.remaining / (making_s + measuring_s))))
    return Price(plans, plans * making_s, plans * measuring_s, devices)


def _mean(seconds: Sequence[float], otherwise: float) -> float:
    """Of those that took time: what was known already did not."""
    taken = [each for each in seconds if each > 0]
    return fmean(taken) if taken else otherwise
