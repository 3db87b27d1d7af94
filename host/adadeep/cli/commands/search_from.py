"""`adadeep search --from RUN`: the plans of a run ranked anew, at once, without a device."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from adadeep.cli.demand_options import LIMIT_NAMES, demands_of, words_of
from adadeep.cli.ui import Ui
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, DemandUnmet
from adadeep.core.measure_settings import MeasureSettings

if TYPE_CHECKING:
    from adadeep.core.demand import UserDemand
    from adadeep.study.proposal import Proposal
    from adadeep.study.ranking import RankedTarget, Ranking

_TOP = 5
_LONGEST_COMMAND = 10_000
_TAKEN = ("ranked", "devices", "as_json", *LIMIT_NAMES)


def rank(run: Path, devices: Sequence[str], ui: Ui, options: dict[str, Any]) -> int:
    """Shows what a run's plans are worth for another demand; returns the exit code.

    Raises:
        ConfigError: the run can't be ranked, or an option makes no sense here.
        DemandUnmet: no plan is known to be within every limit.
    """
    _refuse_others()
    from adadeep.study.proposal import propose
    from adadeep.study.ranking import rank_anew, ranking_as_json
    from adadeep.study.runs import KnownRun

    demand, named = demands_of(options)
    ranking = rank_anew(KnownRun.at(run), demand, named, devices)
    document, limits = ranking_as_json(ranking), _limits(ranking, demand)
    for target, shown in zip(ranking.targets, document["targets"], strict=True):
        _show(ui, ranking, target)
        proposal = propose(ranking.content, target)
        shown["proposal"] = None
        if proposal is not None:
            command = ["search", *_words(ranking, devices, proposal), *limits]
            shown["proposal"] = _propose(ui, target, proposal, command)
    words = ["search", *_words(ranking, devices), *limits] if ranking.gains_by_search else None
    if words:
        ui.now("adadeep", *words)
    ui.emit("ranking", {**document, "test_with": words})
    if not ranking.is_acceptable:
        raise DemandUnmet(_unmet(ranking))
    return 0


def _refuse_others() -> None:
    """Ranking takes a demand and devices; another option would be passed over without a word.

    Raises:
        ConfigError: one is given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in _TAKEN and source is ParameterSource.COMMANDLINE:
            shown = parameter.opts[0] if isinstance(parameter, click.Option) else "TASK"
            raise ConfigError(
                f"--from ranks what a run holds and takes no {shown}; leave it out, or search with"
                " -o RUN."
            )


def _show(ui: Ui, ranking: Ranking, target: RankedTarget) -> None:
    from adadeep.report.final_table import COLUMNS, legend, settings_lines, table_rows
    from adadeep.report.verdict_lines import verdict_lines
    from adadeep.study.looser import looser_lines
    from adadeep.study.table import winner_lines

    winner, rows = target.conclusion.winner, target.rows(_TOP)
    ui.table(COLUMNS, table_rows(rows), f"{ranking.task} on {target.title}, ranked anew")
    verdicts = verdict_lines(target.conclusion.of_winner, target.scale)
    looser = (
        *winner_lines(target.result, target.conclusion),
        *looser_lines(target.looser, target.result, winner),
    )
    for line in (*settings_lines(rows), *legend(rows), *verdicts, *looser):
        ui.say(one_line(line, 1000))
    if target.to_test is not None:
        ui.say(
            f"untested: {target.name_of(target.to_test)} may do; a search for this demand tests it"
            " on held-back samples, and asks for no new plan"
        )


def _propose(
    ui: Ui, target: RankedTarget, proposal: Proposal, words: Sequence[str]
) -> dict[str, Any]:
    """Says what was not tried and may do better, and how to try it; for JSON the same."""
    from adadeep.study.proposal import proposal_as_json, proposal_line

    ui.say(one_line(proposal_line(proposal, target.scale), 1000))
    ui.say(one_line(f"to try it: {shlex.join(['adadeep', *words])}", _LONGEST_COMMAND))
    return {**proposal_as_json(proposal), "try_with": words}


def _words(
    ranking: Ranking, devices: Sequence[str], proposal: Proposal | None = None
) -> list[str]:
    """The search that goes on in the folder, asks for nothing new but a proposal, and tests."""
    first = ranking.targets[0].record.target.settings
    seeds = [asks.session.seed for asks in ranking.content.sessions[-1:]]
    own = ranking.content.own
    words = [ranking.task] if own is None else own.words
    for name in _serials(ranking, devices):
        words += ["-d", name]
    asked = ranking.content.asked + (proposal is not None)
    words += ["-o", str(ranking.folder), "--episodes", str(max(1, asked))]
    if proposal is not None:
        words += ["--try", proposal.text, *_choices(ranking)]
    if first.threads != MeasureSettings().threads:
        words += ["--threads", str(first.threads)]
    if first.core_mask:
        words += ["--cores", first.core_mask]
    if seeds and seeds[0]:
        words += ["--seed", str(seeds[0])]
    return words


def _choices(ranking: Ranking) -> list[str]:
    """What the last session kept, and chose among."""
    last = ranking.content.sessions[-1].session
    words = [word for name in last.keep for word in ("--keep", name)]
    return words + [word for name in last.only for word in ("--only", name)]


def _limits(ranking: Ranking, demand: UserDemand) -> list[str]:
    """The demands as options that name a device as -d can: a run's title is no such name."""
    if len(ranking.targets) == 1:
        return words_of(ranking.targets[0].demand, {})
    own = {_name(target): target.demand for target in ranking.targets if target.demand != demand}
    return words_of(demand, own)


def _name(target: RankedTarget) -> str:
    """What -d finds a device by: "local", its profile's name, else the hash of its serial."""
    from adadeep.profiles import files

    facts = target.record.facts
    return "local" if facts.is_this_computer else files.name_of(facts) or facts.serial


def _serials(ranking: Ranking, devices: Sequence[str]) -> list[str]:
    """What -d takes: a run holds no serials. The only device that is attached needs no name."""
    targets = [target.record for target in ranking.targets]
    ours = {name for one in targets for name in (one.key, one.target.device_title.casefold())}
    if devices and not ours & {name.casefold() for name in devices}:
        return list(devices)
    here = [target.record.facts.is_this_computer for target in ranking.targets]
    local = ["local"] if any(here) else []
    others = ["all"] if len(here) > 1 and not all(here) else []
    return local + others


def _unmet(ranking: Ranking) -> str:
    unmet = [target for target in ranking.targets if not target.conclusion.is_acceptable]
    where = f" on {' and '.join(t.title for t in unmet)}" if len(ranking.targets) > 1 else ""
    head = f"none of the {ranking.plans} plans of {one_line(str(ranking.folder))} is known to meet"
    if any(target.to_test is not None for target in unmet):
        return f"{head} the demand{where}; run the command above to test those that may."
    return (
        f"{head} the demand{where}; the nearest one is reported. Relax a limit, or go on with the"
        " search by more --episodes."
    )
