"""The engine is built in layers: every import points downward or sideways, and none leads in a circle."""

import ast
import re
from pathlib import Path

import import_arrows
import pytest

ENGINE = Path(__file__).parents[1] / "sisyphus"
LAYERS = [
    {"__main__", "cli"},
    {"", "toolkit", "web"},
    {"run"},
    {"cleaner", "upkeep"},
    {"localengine", "slurm", "simple_linux_utility_for_resource_management_engine", "loader"},
    {"engine", "job", "task", "graph", "async_workflow", "reading"},
    {"jobs"},
    {"tools", "job_path", "block"},
    {"base"},
    {"global_settings", "delayed_ops", "hash", "global_constants"},
]
"""Modules and folders, from the top down to the ground; ``""`` is the package itself."""

LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
NAMES_OF_UPSTREAM = set(
    "global_constants global_settings hash delayed_ops block job_path tools job task graph loader async_workflow "
    "engine localengine simple_linux_utility_for_resource_management_engine cleaner toolkit __main__ __init__".split()
)
FILE_OF_A_TASK = re.compile(r"(log|error|finished|usage|usage_history)\.(\w+\.\d+)?|submit_log.*|\.(error|cleared)\..*")
"""Names of such files, and the beginnings of names that code completes."""


def upward(package):
    layers = {name: LAYER_OF[name.partition(".")[0]] for name in import_arrows.module_names(package)}
    return sorted(f"{a} imports {b}" for a, b in import_arrows.imports(package) if layers[b] < layers[a])


def circles(package):
    return import_arrows.circles(import_arrows.module_names(package), import_arrows.imports(package))


def test_every_module_has_a_layer():
    assert {name.partition(".")[0] for name in import_arrows.module_names(ENGINE)} == set(LAYER_OF)


def test_on_top_is_only_what_upstream_has():
    assert {path.stem for path in ENGINE.glob("*.py")} == NAMES_OF_UPSTREAM


def test_no_import_points_upward():
    assert upward(ENGINE) == []


def test_no_imports_lead_in_a_circle():
    assert circles(ENGINE) == []


def test_one_module_knows_the_names_of_the_files_of_a_task():
    for path in ENGINE.rglob("*.py"):
        if path.stem not in ("layout", "global_constants"):
            texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
            assert not [text for text in texts if isinstance(text, str) and FILE_OF_A_TASK.fullmatch(text)], path


@pytest.fixture
def wrong(tmp_path):
    """A package in which a module on the ground imports from above, inside a function."""
    for name, text in {
        "job": "from .base import role\nfrom .base.role import x",
        "base/role": "def f():\n    from ..toolkit import y\n    import made.job",
        "toolkit": "from . import job",
    }.items():
        path = (tmp_path / "made" / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "made"


def test_wrong_directions_would_be_found(wrong):
    assert upward(wrong) == ["base.role imports job", "base.role imports toolkit"]
    assert circles(wrong) == [{"base.role", "job", "toolkit"}]
