"""Takes networks over from the runs beside one, so that none is trained twice.

The content key says what a network was made from: initial weights, training data, recipe, seed,
plan and the version of the training code. What it does not say, how networks are judged and
described, is told by the initial network: it is made in every run, and another run counts only
where it found the same of it, sample by sample. Files are taken by their hashes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.plan import CompressionPlan
from adadeep.storage.artifacts import MODELS, ArtifactStore, Stored
from adadeep.storage.records import Artifact, JournalContent
from adadeep.storage.siblings import OtherNetwork, SiblingRuns
from adadeep.study.trials import INITIAL

_LONGEST_NAME = 120
_TOLERANCE = 1e-9


def name_of_run(folder: Path) -> str:
    """A run's folder as it is called in a journal and on the terminal."""
    return one_line(folder.name, _LONGEST_NAME) or "another run"


@dataclass(frozen=True, slots=True)
class Takeover:
    """Takes networks over into a run.

    Attributes:
        siblings: the other runs.
        store: of the run's models.
        content: of the run's journal, as it grows.
    """

    siblings: SiblingRuns
    store: ArtifactStore
    content: JournalContent

    def __call__(self, key: str, plan: CompressionPlan) -> Artifact | None:
        """The network of a content key, copied; None if no other run has it whole.

        Args:
            key: `content_key` of the plan.
            plan: that made it.

        Raises:
            ConfigError: it can't be written.
        """
        for found in self.siblings.networks(key):
            if not self._is_sound(found, plan):
                continue
            artifact = found.artifact
            stored = Stored(artifact.model_sha256, artifact.file_bytes, artifact.network_sha256)
            if self.store.copy(ArtifactStore(found.run / MODELS), stored):
                return replace(artifact, taken_from=name_of_run(found.run))
        return None

    def _is_sound(self, found: OtherNetwork, plan: CompressionPlan) -> bool:
        initial, artifact = self.content.artifact_of(INITIAL.key), found.artifact
        if initial is None or artifact.plan_key != plan.key:
            return False
        alike = (found.initial.scores, found.initial.spec) == (initial.scores, initial.spec)
        whole = artifact.scores.count == initial.scores.count
        mean = abs(artifact.accuracy - artifact.scores.quality) <= _TOLERANCE
        has_network = artifact.network_sha256 is not None or not plan.choices
        return (
            alike and whole and mean and has_network
            and artifact.spec.input_shape == initial.spec.input_shape
        )  # fmt: skip
