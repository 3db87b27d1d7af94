"""A plan as a person writes it: "conv2=C2,fc1=W3:0.9,int8", or as tables show it.

A choice is LAYER=TECHNIQUE; of several settings the technique's first is meant,
LAYER=TECHNIQUE:VALUE or LAYER=TECHNIQUE(NAME=VALUE,...) names another. A precision stands for
itself. Layers that are not named stay as they are. The labels of tables ("conv2:C2(alpha=0.5)
int8") are read, too. A layer's name with spaces, commas, colons or the like stands in double
quotes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.plan import NONE, UNCHANGED_PRECISION, CompressionPlan, LayerChoice
from adadeep.core.registry import suggestion
from adadeep.core.space import DecisionPoint, PrecisionChoice, SearchSpace

INITIAL = "initial"  # the label of the plan that changes nothing

_PARTS = re.compile(r'(?:\([^()]*\)|"[^"]*"|[^,\s"])+')  # commas in parentheses don't part
_WORD = r"[^\s,()=:]+"
_PART = re.compile(
    rf"(?:\"(?P<quoted>[^\"]+)\"|(?P<layer>{_WORD}))[=:](?P<technique>{_WORD})(?::(?P<value>{_WORD})|\((?P<settings>[^()]*)\))?"
)
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class ChoiceText:
    """What is written of a layer.

    Attributes:
        layer: its name.
        technique: its name.
        settings: (name, value) as written; the name is empty where only a value was.
    """

    layer: str
    technique: str
    settings: tuple[tuple[str, str], ...] = ()

    def fits(self, choice: LayerChoice) -> bool:
        """Whether a choice is what is meant, or one of several that may be."""
        return choice.technique == self.technique and all(
            any(name in ("", known) and _equal(value, text) for known, value in choice.parameters)
            for name, text in self.settings
        )


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan as written, its names not yet looked up.

    Attributes:
        text: all of it, for messages.
        choices: each of another layer.
        precision: its name.
        option: that it was given by, for messages.
    """

    text: str
    choices: tuple[ChoiceText, ...]
    precision: str = UNCHANGED_PRECISION
    option: str = "--try"

    @classmethod
    def read(cls, text: str, option: str = "--try") -> PlanText:
        """Takes a text apart.

        Args:
            text: as a person wrote it.
            option: that it was given by, for messages.

        Raises:
            ConfigError: it is no plan; the message shows what one looks like.
        """
        parts = _PARTS.findall(text)
        matches = [_PART.fullmatch(part) for part in parts]
        words = [part for part, match in zip(parts, matches, strict=True) if match is None]
        choices = tuple(_choice_text(match) for match in matches if match)
        if not parts or any(not re.fullmatch(_WORD, word) for word in words):
            raise _wrong(
                option, text, "that is no plan; write for example conv2=C2,fc1=W3:0.9,int8."
            )
        precisions = [word for word in words if word != INITIAL]
        layers = [choice.layer for choice in choices]
        twice = next((name for name, count in Counter(layers).items() if count > 1), None)
        if twice is not None or len(precisions) > 1:
            what = one_line(twice, _LONGEST) if twice else "the precision"
            raise _wrong(option, text, f"{what} is decided twice; leave one out.")
        precision = precisions[0] if precisions else UNCHANGED_PRECISION
        return cls(one_line(text, _LONGEST), choices, precision, option)

    @property
    def techniques(self) -> tuple[str, ...]:
        """Names of those that it uses."""
        return tuple(dict.fromkeys(choice.technique for choice in self.choices))

    def plan(self, space: SearchSpace) -> CompressionPlan:
        """The plan of a space that is meant.

        Raises:
            ConfigError: there is none; the message says what there is.
        """
        written = {choice.layer: choice for choice in self.choices}
        layers = [point.layer.name for point in space.points if point.layer]
        for name in (name for name in written if name not in layers):
            raise self.unknown("layer that can be compressed", name, layers)
        decisions: list[int] = []
        for point in space.points:
            number = self._decision(space, point, written.get(point.title if point.layer else ""))
            if not space.mask(decisions)[number]:
                raise self.wrong(
                    f"{point.title} is taken out by what is chosen before it; leave one out.",
                )
            decisions.append(number)
        plan = space.plan(decisions)
        if plan.precision != self.precision:
            raise self.unknown("precision", self.precision, [plan.precision])
        return plan

    def _decision(
        self, space: SearchSpace, point: DecisionPoint, written: ChoiceText | None
    ) -> int:
        """The number of the action that is meant at a point."""
        options = {number: space.actions[number] for number in point.options}
        if point.layer is None:
            names = {a.name: n for n, a in options.items() if isinstance(a, PrecisionChoice)}
            if self.precision not in names:
                raise self.unknown("precision", self.precision, list(names))
            return names[self.precision]
        wanted = written or ChoiceText(point.title, NONE)
        choices = {n: a for n, a in options.items() if isinstance(a, LayerChoice)}
        fitting = [number for number, choice in choices.items() if wanted.fits(choice)]
        if fitting:
            return fitting[0]
        names_here = list(dict.fromkeys(choice.technique for choice in choices.values()))
        if wanted.technique not in names_here:
            kind = f"technique for {point.title}"
            raise self.unknown(kind, wanted.technique, names_here)
        labels = [c.label for c in choices.values() if c.technique == wanted.technique]
        raise self.wrong(
            f"these are no settings of {wanted.technique} on {point.title}."
            f" There are: {', '.join(labels)}.",
        )

    def unknown(self, kind: str, name: str, known: Sequence[str]) -> ConfigError:
        """The error of a name in it that nothing has."""
        shown = one_line(name, _LONGEST)
        hint = suggestion(name, list(known))
        there = ", ".join(known) or "none"
        return self.wrong(f"no {kind} is called {shown!r}.{hint} There are: {there}.")

    def wrong(self, what: str) -> ConfigError:
        """An error of this plan."""
        return _wrong(self.option, self.text, what)


def _choice_text(match: re.Match[str]) -> ChoiceText:
    return ChoiceText(
        match["quoted"] or match["layer"], match["technique"], tuple(_settings(match))
    )


def _settings(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    if match["value"]:
        yield "", match["value"]
    for part in (match["settings"] or "").split(","):
        name, _, value = part.rpartition("=")
        if value.strip():
            yield name.strip(), value.strip()


def _equal(value: float | int | str, text: str) -> bool:
    if isinstance(value, str):
        return value == text
    try:
        return float(text) == value
    except ValueError:
        return False


def _wrong(option: str, text: str, what: str) -> ConfigError:
    return ConfigError(f"{option} {one_line(text, _LONGEST)}: {what}")
