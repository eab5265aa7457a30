"""Imports of the recipe point one way: from the experiments down to the models, and to the ground."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "recipe" / "ctc_kd"
FLOORS = [
    {"experiments"},
    {"report"},
    {"analysis", "decoding", "pretraining"},
    {"training"},
    {"lexicon", "lm", "scoring"},
    {"corpus"},
    {"nn"},
    {"store", "methods"},
    {"files", "frames"},
]
"""Rooms, and single modules, from the top to the ground. A room imports from itself and from lower floors."""

FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports_of(path, package=PACKAGE):
    """The modules of ``package`` that a file imports, anywhere in it, as parts of their names."""
    here = path.relative_to(package).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = [package.name, *here[: len(here) - node.level], *base]
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == package.name and len(name) > 1:
                yield module_of(name[1:], package)


def module_of(parts, package):
    """The longest beginning of a name that is a module."""
    while parts and not (package.joinpath(*parts).with_suffix(".py").exists() or package.joinpath(*parts).is_dir()):
        parts = parts[:-1]
    return tuple(parts)


def graph(package=PACKAGE):
    files = {path.relative_to(package).with_suffix("").parts: path for path in package.rglob("*.py")}
    return {name: set(imports_of(path, package)) - {name} for name, path in files.items() if name[-1] != "__init__"}


def upward(arrows, floor_of):
    """Imports from another room that is not on a lower floor."""
    return [
        f"{'/'.join(name)} imports {'/'.join(other)}"
        for name, others in arrows.items()
        for other in others
        if other and other[0] != name[0] and floor_of[other[0]] <= floor_of[name[0]]
    ]


def circle(arrows):
    """Modules that import each other in a circle, or need such modules; none if there is no circle."""
    left = dict(arrows)
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    return sorted(left)


def test_every_room_has_a_floor():
    rooms = {name[0] for name in graph()}
    assert rooms == set(FLOOR_OF)


def test_no_import_points_upward():
    assert upward(graph(), FLOOR_OF) == []


def test_there_is_no_circle():
    assert circle(graph()) == []


def test_models_need_nothing_of_the_job_rooms():
    others = {other[0] for name, found in graph().items() if name[0] == "nn" for other in found}
    assert others <= {"nn", "frames"}


@pytest.fixture
def wrong(tmp_path):
    for name, text in {
        "nn/losses.py": "def f():\n    from ..training.train import x",
        "training/train.py": "from made.nn import losses\nimport made.training.steps",
        "training/steps.py": "from .train import x",
    }.items():
        path = tmp_path / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "made"


def test_wrong_directions_would_be_found(wrong):
    arrows = graph(wrong)
    assert upward(arrows, FLOOR_OF) == ["nn/losses imports training/train"]
    assert circle(arrows) == [("nn", "losses"), ("training", "steps"), ("training", "train")]
