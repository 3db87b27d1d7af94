import itertools
import math

import numpy as np
import pytest

from adadeep.core.estimates import RatioEstimate, summed
from adadeep.core.noise import PRIOR
from adadeep.core.ratio_graph import Edge, RatioGraph, _meshed, edges_of
from fakes.noise_worlds import LARGE, Model, World


def edge(first, second, log, sd=0.01, df=10.0):
    return Edge(first, second, RatioEstimate(log, sd, df))


def test_a_chain_adds_logs_and_variances():
    graph = RatioGraph.of([edge("a", "b", 0.3, 0.03), edge("c", "b", -0.2, 0.04)])
    found = graph.ratio("a", "c")
    assert found.log_ratio == pytest.approx(0.5)
    assert found.sd == pytest.approx(0.05)
    # Satterthwaite of both terms.
    assert found.df == pytest.approx(summed((0.0009, 10), (0.0016, 10))[1])


def test_two_edges_between_the_same_two_are_averaged_by_their_variances():
    graph = RatioGraph.of([edge("a", "b", 0.1, 0.01), edge("b", "a", -0.4, 0.02)])
    found = graph.ratio("a", "b")
    assert found.log_ratio == pytest.approx((0.1 * 4 + 0.4) / 5)
    assert found.sd == pytest.approx(math.sqrt(1 / (1e4 + 2500)))


def test_it_is_the_dense_solution_of_every_pair():
    random = np.random.default_rng(0)
    names = [f"m{n}" for n in range(12)]
    pairs = [(a, b) for a, b in itertools.combinations(range(12), 2) if random.uniform() < 0.4]
    pairs += [(n, n + 1) for n in range(11)]
    logs, sds = random.normal(size=len(pairs)), random.uniform(0.005, 0.1, len(pairs))
    graph = RatioGraph.of(
        edge(names[a], names[b], log, sd) for (a, b), log, sd in zip(pairs, logs, sds, strict=True)
    )
    design = np.zeros((len(pairs), 12))
    for row, (a, b) in enumerate(pairs):
        design[row, a], design[row, b] = 1, -1
    laplacian = np.linalg.pinv(design.T @ np.diag(sds**-2.0) @ design)
    expected = laplacian @ design.T @ (sds**-2.0 * logs)
    for i, j in itertools.permutations(range(12), 2):
        found = graph.ratio(names[i], names[j])
        contrast = np.zeros(12)
        contrast[i], contrast[j] = 1, -1
        assert found.log_ratio == pytest.approx(expected[i] - expected[j])
        assert found.sd == pytest.approx(math.sqrt(contrast @ laplacian @ contrast))


def test_what_nothing_connects_has_no_ratio():
    graph = RatioGraph.of([edge("a", "b", 0.1), edge("c", "d", 0.1)])
    assert graph.ratio("a", "c") is None
    assert graph.ratio("a", "nobody") is None
    assert graph.ratio("nobody", "a") is None
    assert graph.ratio("c", "d").log_ratio == pytest.approx(0.1)
    assert "a" in graph
    assert "nobody" not in graph
    assert RatioGraph.of([]).ratio("a", "b") is None


def test_a_model_is_as_fast_as_itself():
    found = RatioGraph.of([edge("a", "b", 0.1)]).ratio("a", "a")
    assert (found.ratio, found.low, found.high) == (1, 1, 1)
    assert not found.is_different


def test_exact_edges_stay_exact_beside_rough_ones():
    graph = RatioGraph.of(
        [edge("a", "b", 0.1, 0.0), edge("b", "c", 0.2, 0.3), edge("a", "c", 9, 9)]
    )
    assert graph.ratio("a", "b").log_ratio == pytest.approx(0.1, abs=1e-9)
    assert graph.ratio("a", "b").sd < 1e-5
    assert math.isfinite(graph.ratio("a", "c").sd)


def test_an_edge_to_itself_is_refused():
    with pytest.raises(ValueError, match="itself"):
        edge("a", "a", 0.0)


def test_hundreds_of_models_are_fitted_at_once():
    edges = [edge(f"m{n}", "unit", n / 100) for n in range(400)]
    edges += [edge(f"m{n}", "sharp", n / 100 - 1) for n in range(400)]
    graph = RatioGraph.of(edges)
    assert graph.ratio("m399", "unit").log_ratio == pytest.approx(3.99)
    assert graph.ratio("m7", "sharp").log_ratio == pytest.approx(-0.93)
    # Through 400 models the two references know each other well.
    assert graph.ratio("sharp", "unit").sd == pytest.approx(0.01 * math.sqrt(2 / 400), rel=1e-6)


MODELS = [Model("x", 1.0), Model("y", 2.0), Model("z", 4.0)]


def test_the_ratios_of_a_session_of_several_are_those_of_its_pairs():
    session = World(0, seconds=60).session(MODELS, placements=20)
    graph = RatioGraph.of(edges_of(session, PRIOR))
    for i, j in itertools.permutations(range(3), 2):
        alone = PRIOR.ratio(session, i, j)
        found = graph.ratio(MODELS[i].sha, MODELS[j].sha)
        assert found.log_ratio == pytest.approx(alone.log_ratio, abs=2 * alone.sd)
        assert 0.5 < found.sd / alone.sd < 2
        assert 0.5 < found.df / alone.df < 2


def test_a_heavy_model_makes_no_ratio_of_sharp_ones_blunt_nor_its_own_sharper():
    heavy = Model("heavy", 1.0, LARGE, placement=0.05)
    pairs, through = ([], [])
    for seed in range(20):
        session = World(seed, seconds=60).session([*MODELS[:2], heavy], placements=20)
        graph = RatioGraph.of(edges_of(session, PRIOR))
        for i, j in ((0, 1), (0, 2)):
            pairs.append(PRIOR.ratio(session, i, j).sd)
            through.append(graph.ratio(*(session.measurements[n].model_sha256 for n in (i, j))).sd)
    for which in (0, 1):
        assert np.mean(through[which::2]) == pytest.approx(np.mean(pairs[which::2]), rel=0.1)


@pytest.mark.parametrize("count", [3, 4, 7])
def test_edges_of_a_session_weigh_as_a_star_of_its_models_own_errors(count):
    own = np.random.default_rng(count).uniform(0.05, 0.1, count) ** 2
    squares = own[:, None] + own[None, :]
    np.fill_diagonal(squares, 0.0)
    meshed = _meshed(squares)
    names = [f"m{n}" for n in range(count)]
    others = [edge("m0", "unit", 0.0), edge("m1", "unit", 0.1)]
    mesh = RatioGraph.of([*others, *(
        edge(names[i], names[j], 0.0, meshed[i, j] ** 0.5)
        for i, j in itertools.combinations(range(count), 2)
    )])  # fmt: skip
    star = RatioGraph.of(
        [*others, *(edge(name, "hub", 0.0, sd) for name, sd in zip(names, own**0.5, strict=True))]
    )
    for one, other in itertools.combinations([*names, "unit"], 2):
        assert mesh.ratio(one, other).sd == pytest.approx(star.ratio(one, other).sd)
        assert mesh.ratio(one, other).log_ratio == pytest.approx(
            star.ratio(one, other).log_ratio, abs=1e-9
        )


def test_intervals_of_a_graph_of_sessions_hold():
    held = count = 0
    for seed in range(30):
        world = World(seed, deviation=0.03, seconds=1000)
        candidates = [Model(f"m{n}", 1.0 + n / 10) for n in range(4)]
        edges = []
        for n, candidate in enumerate(candidates):
            edges += edges_of(world.session([candidate, *MODELS[:2]], 60.0 * n), PRIOR)
        graph = RatioGraph.of(edges)
        for one in candidates:
            found = graph.ratio(one.sha, MODELS[0].sha)
            held += found.low <= one.ms <= found.high
            count += 1
    assert held / count >= 0.9


def test_a_session_of_one_model_has_no_edges():
    assert edges_of(World(0, seconds=60).session(MODELS[:1]), PRIOR) == ()


def test_a_pair_is_one_edge():
    session = World(0, seconds=60).session(MODELS[:2])
    [one] = edges_of(session, PRIOR)
    assert (one.first, one.second) == (MODELS[0].sha, MODELS[1].sha)
    alone = PRIOR.ratio(session, 0, 1)
    assert one.estimate.log_ratio == pytest.approx(alone.log_ratio)
    assert (one.estimate.sd, one.estimate.df) == pytest.approx((alone.sd, alone.df))


def test_a_model_against_itself_is_no_edge_and_nodes_can_be_named():
    session = World(0, seconds=60).session([MODELS[0], MODELS[0], MODELS[1]])
    edges = edges_of(session, PRIOR)
    assert [(e.first, e.second) for e in edges] == [(MODELS[0].sha, MODELS[1].sha)] * 2
    named = edges_of(session, PRIOR, ["a", "b", "c"])
    assert [(e.first, e.second) for e in named] == [("a", "b"), ("a", "c"), ("b", "c")]
