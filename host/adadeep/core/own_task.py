"""OwnTask: a network and data of the user's own, as named on the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnTask:
    """What a search of the user's own network is about; plain values, for another process.

    Attributes:
        model: absolute path of a .keras or .h5 file.
        data: an .npz file, a folder with a folder of images a class, or module:function that
            gives the data; None where none is given.
        train: module:function that says how to train; None where the file or the data tell.
        metric: name of the metric; None where the labels tell.
        trust_model: whether code that the file holds (Lambda layers) may be run.
        untrained: whether the network is to be trained from scratch first.
        search_path: folder in which modules are looked for first: where the command was given.
    """

    model: str
    data: str | None = None
    train: str | None = None
    metric: str | None = None
    trust_model: bool = False
    untrained: bool = False
    search_path: str = "."

    @property
    def words(self) -> list[str]:
        """What names it on a command line.

        Trust is not among them: a run's folder travels, and who takes it over is to decide anew.
        """
        named = (("--data", self.data), ("--train", self.train), ("--metric", self.metric))
        words = [self.model, *(word for pair in named if pair[1] for word in pair if word)]
        return [*words, "--untrained"] if self.untrained else words
