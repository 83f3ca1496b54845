"""The Guide against a plain reference, seed by seed: every kind of graph, any order of answers."""

import os
from pathlib import Path

from tests.host.guide.guide_host import running
from tests.host.guide.simulation import Simulation
from tests.host.guide.simulation_standing import StandingSimulation

SEEDS = int(os.environ.get("KWE_SEEDS", "500"))
FIRST_SEED = int(os.environ.get("KWE_FIRST_SEED", "1"))


def test_every_graph_goes_as_the_reference_says(program: Path, codes: dict[str, int]) -> None:
    """A seed that fails runs alone with KWE_FIRST_SEED=n KWE_SEEDS=1."""
    answered = grown = moved = 0
    with running(program) as guide:
        for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
            simulation = Simulation(guide, codes, seed)
            try:
                answered += simulation.run()
                grown += simulation.grown
                moved += simulation.moved
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error

    assert answered == SEEDS * 6
    assert SEEDS < 100 or min(grown, moved) > SEEDS // 10, "hardly any began again, or elsewhere"


def test_what_stands_begins_anew_as_the_reference_does(
    program: Path, codes: dict[str, int]
) -> None:
    """Random graphs as events that stand; a seed runs alone in the same way."""
    runs = 0
    with running(program) as guide:
        for seed in range(FIRST_SEED, FIRST_SEED + SEEDS // 4 + 1):
            try:
                runs += StandingSimulation(guide, codes, seed).run()
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error

    assert runs > SEEDS
