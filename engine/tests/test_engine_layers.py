"""The engine is built in layers: every import points downward or sideways, and none leads in a circle."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from import_arrows import circles, imports, module_names

ENGINE = Path(__file__).parents[1] / "sisyphus"
LAYERS = [
    {"__main__", "cli"},
    {"", "toolkit", "web"},
    {"run", "manager"},
    {"cleaner", "upkeep"},
    {"localengine", "slurm", "simple_linux_utility_for_resource_management_engine", "loader"},
    {"engine", "job", "task", "graph", "async_workflow", "reading"},
    {"jobs"},
    {"tools", "job_path", "block", "http_server"},
    {"base"},
    {"global_settings", "delayed_ops", "hash", "global_constants", "logging_format"},
]
"""Modules and folders, from the top down to the ground; ``""`` is the ``__init__`` of the package."""

NAMES_OF_UPSTREAM = set(
    "global_constants global_settings hash delayed_ops block job_path tools job task graph loader async_workflow "
    "engine localengine simple_linux_utility_for_resource_management_engine cleaner toolkit manager http_server "
    "logging_format __main__ __init__".split()
)
FILE_OF_A_TASK = re.compile(
    r"(log|error|finished|usage|usage_history)\.(\w+\.\d+)?|submit_log.*|\.error\..*|\.cleared\..*"
)
"""Names of such files, and the beginnings of names that code completes."""

LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


def layer_of(module):
    return LAYER_OF[module.partition(".")[0]]


def upward(package):
    return sorted(f"{a} imports {b}" for a, b in imports(package) if layer_of(b) < layer_of(a))


def in_circles(package):
    return sorted(set().union(*circles(module_names(package), imports(package))))


def test_every_module_has_a_layer():
    assert {name.partition(".")[0] for name in module_names(ENGINE)} == set(LAYER_OF)


def test_on_top_is_only_what_upstream_has():
    assert {path.stem for path in ENGINE.glob("*.py")} == NAMES_OF_UPSTREAM


def test_no_import_points_upward():
    assert upward(ENGINE) == []


def test_no_imports_lead_in_a_circle():
    assert in_circles(ENGINE) == []


def test_imports_inside_functions_save_time_at_start():
    """What they load is not there already: no module hides an import to get out of a circle."""
    show = "import sys, sisyphus; print(*(name for name in sys.modules if name.startswith('sisyphus.')))"
    setting = {**os.environ, "SIS_GLOBAL_SETTINGS_FILE": ""}
    loaded = subprocess.run([sys.executable, "-c", show], env=setting, capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("sisyphus.") for name in loaded.stdout.split()}
    assert {"job", "base.layout"} <= loaded
    assert [(a, b) for (a, b), at_the_top in imports(ENGINE).items() if not at_the_top and b in loaded] == []


def test_one_module_knows_the_names_of_the_files_of_a_task():
    """Others ask `layout`: no text of the engine is, or begins with, the name of such a file."""
    for path in ENGINE.rglob("*.py"):
        if path.stem in ("layout", "global_constants"):
            continue
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not [text for text in texts if isinstance(text, str) and FILE_OF_A_TASK.fullmatch(text)], path
        assert not re.search(r"\{(layout\.)?(LOG|ERROR|FINISHED|USAGE|USAGE_HISTORY|SUBMIT_LOG)\}", path.read_text()), (
            path
        )


@pytest.fixture
def wrong(tmp_path):
    for name, text in {
        "__init__": "from .job import x",
        "job": "from .base import role\nfrom .base.role import x",
        "base/__init__": "",
        "base/role": "def f():\n    from ..toolkit import y\n    import made.job",
        "base/words": "from . import role",
        "toolkit": "from . import job",
    }.items():
        path = (tmp_path / "made" / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "made"


def test_wrong_directions_would_be_found(wrong):
    assert upward(wrong) == ["base.role imports job", "base.role imports toolkit"]
    assert in_circles(wrong) == ["base.role", "job", "toolkit"]
    assert imports(wrong)["", "job"] and not imports(wrong)["base.role", "toolkit"]
