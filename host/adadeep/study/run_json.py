"""Runs for `--json`: keys as in docs/json.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from adadeep.storage.records import JournalContent, SessionAsks
from adadeep.storage.run_folder import PlanFile, PlanTarget, PlanTrial
from adadeep.study.measuring import drift_of
from adadeep.study.outcome import (
    finalist_as_json,
    rivals_as_json,
    scored_as_json,
    unit_as_json,
    verdicts_as_json,
)
from adadeep.study.run_view import RunView, Standing, TargetView
from adadeep.study.runs import KnownRun, winner_text


def run_as_json(known: KnownRun) -> dict[str, Any]:
    """A run in a list of them."""
    return {
        "folder": str(known.folder.path),
        "state": str(known.state),
        "problem": known.problem,
        "task": known.task,
        "devices": list(known.titles),
        "plans_tried": known.plans_tried,
        "winners": [
            {
                "device_title": target.device_title,
                "label": target.best.label,
                "key": target.best.key,
                "demand": winner_text(target),
            }
            for target in known.concluded
        ],
        "size_bytes": known.size_bytes,
        "changed": known.changed.isoformat(timespec="seconds") if known.changed else None,
    }


def view_as_json(view: RunView) -> dict[str, Any]:
    """Everything that is known of a run."""
    journal = view.known.journal
    networks = view.networks
    return {
        **run_as_json(view.known),
        "id": journal.id if journal else None,
        "study": journal.study if journal else None,
        "concluded": _conclusion(view.known.plan),
        "sessions": [_session(asks) for asks in journal.sessions] if journal else [],
        "asked": journal.asked if journal else None,
        "networks": len(networks) if journal else None,
        "networks_kept": view.networks_kept if journal else None,
        "networks_taken": view.taken if journal else None,
        "targets": [_target(target, journal) for target in view.targets],
        "finalists": [finalist_as_json(finalist.test) for finalist in view.finalists],
    }


def _conclusion(plan: PlanFile | None) -> dict[str, Any] | None:
    """Who wrote plan.json, and by what it was searched then."""
    names = ("adadeep_version", "sampler", "preset", "seed", "episodes_asked", "plans_tried")
    return {name: getattr(plan, name) for name in names} if plan else None


def _session(asks: SessionAsks) -> dict[str, Any]:
    return {**asdict(asks.session), "trials_before": asks.trials_before, "asks": len(asks.asks)}


def _target(view: TargetView, journal: JournalContent | None) -> dict[str, Any]:
    record, concluded, standing = view.record, view.concluded, view.standing
    limits = standing.contest.result.limits if standing else concluded and concluded.limits
    return {
        "key": record.key if record else (concluded and concluded.key) or None,
        **(asdict(record.target) if record else _device(concluded)),
        "metric": asdict(view.scale),
        "facts": asdict(record.facts) if record else None,
        "sources": record.sources if record else None,
        "provenances": record.provenances if record else None,
        "demand": asdict(view.demand) if view.demand else None,
        "limits": asdict(limits) if limits else None,
        "problem": view.problem,
        "states": view.states,
        "unit": _unit(record.key, journal) if record and journal else None,
        "winner": _winner(view),
        "as_good_as": rivals_as_json(standing.conclusion.rivals) if standing else [],
        "front": _front(standing),
        "trials": _trials(standing, view.tests) if standing else _concluded(concluded),
    }


def _unit(target: str, journal: JournalContent) -> dict[str, Any] | None:
    return unit_as_json(journal.units.get(target), drift_of(journal, target))


def _device(concluded: PlanTarget | None) -> dict[str, Any]:
    if concluded is None:
        return {}
    return {
        "device_title": concluded.device_title,
        "device_fingerprint": concluded.device_fingerprint,
    }


def _winner(view: TargetView) -> str | None:
    """Key of the plan that wins, or does so far."""
    if view.standing is not None:
        return view.standing.conclusion.winner.trial.plan.key
    return view.concluded.best.key if view.concluded else None


def _front(standing: Standing | None) -> list[str]:
    """Keys of the plans that no other beats in everything, in the order of `trials`."""
    front = standing.contest.result.front if standing else ()
    return [scored.trial.plan.key for scored in front]


def _trials(standing: Standing, tests: dict[str, float | None]) -> list[dict[str, Any]]:
    verdicts = standing.conclusion.verdicts
    return [
        {
            **scored_as_json(scored, verdicts.get(scored.trial.plan.key)),
            "test_accuracy": tests.get(scored.trial.plan.key),
        }
        for scored in standing.contest.result.trials
    ]


def _concluded(concluded: PlanTarget | None) -> list[dict[str, Any]]:
    """The two networks of plan.json."""
    return [_trial(trial) for trial in (concluded.initial, concluded.best)] if concluded else []


def _trial(trial: PlanTrial) -> dict[str, Any]:
    return {**asdict(trial), "state": "complete", "verdicts": verdicts_as_json(trial.verdicts)}
