"""What a study and its worker process say to each other: JSON lines, files for what is large.

Both are adadeep of one installation, so there are no versions. Paths are in the study's scratch
folder, but for the initial network's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adadeep.core.layers import ModelSpec
from adadeep.core.own_task import OwnTask
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.storage.siblings import OtherInitial


class OpenTask(msgspec.Struct, frozen=True, tag="open"):
    """The first request: what networks are made of. Answered by `Opened`.

    Attributes:
        task: its name.
        seed: of the study.
        initial: path of the trained initial network.
        goes_on: whether the file there, if any, is of this study; else it is written anew.
        others: initial networks of other runs, which are not trained again where they are what
            this one would be trained from.
        own: the user's network and data; None where `task` is a registered one.
        cache: folder of trained initial networks; None where none is to be used.
        is_bare: whether the network alone is wanted: no data, nothing is trained or judged.
    """

    task: str
    seed: int
    initial: str
    goes_on: bool
    others: tuple[OtherInitial, ...] = ()
    own: OwnTask | None = None
    cache: str | None = None
    is_bare: bool = False


class Make(msgspec.Struct, frozen=True, tag="make"):
    """Make a plan's network. Answered by `Made` or `Failed`.

    Attributes:
        plan: what to make of the initial network.
        folder: where to leave its files.
        full: whether to train by the full recipe, not the short one of a search.
    """

    plan: CompressionPlan
    folder: str
    full: bool = False


class Judge(msgspec.Struct, frozen=True, tag="judge"):
    """Run a .tflite on a part of the data: "held" or "test". Answered by `Judged`."""

    model: str
    part: str


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """Run .tflite files on some test samples. Answered by `Sampled`.

    Attributes:
        models: names of members -> paths.
        count: samples.
        folder: where to leave the .npz.
    """

    models: dict[str, str]
    count: int
    folder: str


class Explain(msgspec.Struct, frozen=True, tag="explain"):
    """Say what int8 costs by layer of the network that was made last. Answered by `Explained`."""


Request = OpenTask | Make | Judge | Sample | Explain


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """The initial network is there.

    Attributes:
        spec: what it is, before any training.
        basis: hash of what networks depend on besides their plan.
        fine_tuning_s: about what training a compressed one takes, by what this one took; None
            where it was not trained now.
        taken: path of the one of `OpenTask.others` that it is; None if it is none of them.
        notes: for the user: what was inferred from the data, what is odd about them.
        about: of the user's own network and data, what a journal's header has to say of them.
    """

    spec: ModelSpec
    basis: str
    fine_tuning_s: float | None = None
    taken: str | None = None
    notes: tuple[str, ...] = ()
    about: dict[str, Any] = {}  # msgspec copies it


class Made(msgspec.Struct, frozen=True, tag="made"):
    """A network, trained and converted.

    Attributes:
        model: path of its .tflite.
        network: path of its .keras; None where it is the initial network itself.
        scores: of the validation samples; None where there are no data.
        spec: what it is, in its precision.
        notes: for the user: what is odd about it.
    """

    model: str
    network: str | None
    scores: SampleScores | None
    spec: ModelSpec
    notes: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, tag="judged"):
    """The scores of a model, sample by sample."""

    scores: SampleScores


class Sampled(msgspec.Struct, frozen=True, tag="sampled"):
    """Path of an .npz: `inputs`, `labels`, and the outputs of each model under its name."""

    path: str


class PartLoss(msgspec.Struct, frozen=True):
    """What is lost where some layers that follow one another are alone in int8.

    Attributes:
        layers: their names.
        sqnr_db: signal to noise of the network's outputs then, in dB: the less, the more is lost.
            None where nothing is, or where that can't be told.
        is_lossless: whether nothing is.
    """

    layers: tuple[str, ...]
    sqnr_db: float | None
    is_lossless: bool = False


class Explained(msgspec.Struct, frozen=True, tag="explained"):
    """What int8 costs by layer, in order of execution."""

    losses: tuple[PartLoss, ...]


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """Something long begins; more comes."""

    text: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A request was not carried out.

    Attributes:
        error: name of the class in core/errors; empty for what is nobody's but our own fault.
        message: for people.
    """

    error: str
    message: str


Reply = Opened | Made | Judged | Sampled | Explained | Stage | Failed
