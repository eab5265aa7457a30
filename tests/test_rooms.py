"""Imports of the recipe point one way: from the experiments down to the models, and to the ground."""

from pathlib import Path

import import_arrows

RECIPE = Path(__file__).parents[1] / "recipe" / "ctc_kd"
FLOORS = [
    {"experiments"},
    {"export"},
    {"report"},
    {"pseudo_labels"},
    {"recognition"},
    {"analysis", "decoding", "pretraining"},
    {"training"},
    {"lexicon", "lm", "scoring"},
    {"corpus"},
    {"nn"},
    {"inventory"},
    {"store", "methods"},
    {"files", "frames", "machine", "plain_numbers"},
    {""},
]
"""Rooms, and single modules, from the top to the ground. A room imports from itself and from lower floors."""

FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_a_floor():
    assert {name.partition(".")[0] for name in import_arrows.module_names(RECIPE)} == set(FLOOR_OF)


def test_imports_between_rooms_point_downward():
    arrows = import_arrows.arrows(RECIPE)
    assert len(arrows) > 20
    assert [(a, b) for a, b in sorted(arrows) if FLOOR_OF[b] <= FLOOR_OF[a]] == []


def test_no_imports_lead_in_a_circle():
    assert import_arrows.circles(import_arrows.module_names(RECIPE), import_arrows.imports(RECIPE)) == []


def test_models_need_nothing_of_the_job_rooms():
    assert {b for a, b in import_arrows.arrows(RECIPE) if a == "nn"} <= {"frames", "methods"}
