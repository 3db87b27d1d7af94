"""The "analytic" cost source: energy by Eq. 5 of AdaDeep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY, Candidate
from adadeep.core.target import Target
from adadeep.cost.formulas import MAC_ENERGY_PJ, energy_mj

_SOURCE = f"Eq. 5 of AdaDeep, {MAC_ENERGY_PJ} pJ a MAC"


class AnalyticSource:
    """Formulas of the paper; for any target the same."""

    name = "analytic"
    title = "formulas of the AdaDeep paper"
    needs_measurement = False

    def offers(self, target: Target) -> Mapping[str, Provenance]:
        """E; T by C/P would need P of the device."""
        del target
        return {ENERGY: Provenance.ANALYTIC}

    def costs(
        self, candidates: Sequence[Candidate], reference: Candidate, target: Target
    ) -> Sequence[Mapping[str, Quantity]]:
        """E of each."""
        del reference, target
        return [
            {ENERGY: Quantity(energy_mj(candidate.spec), Provenance.ANALYTIC, _SOURCE)}
            for candidate in candidates
        ]


ANALYTIC = AnalyticSource()
