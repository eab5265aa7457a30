"""The engine is built in layers: every import points downward or sideways, and none leads in a circle."""

import ast
import re
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[1] / "sisyphus"
LAYERS = [
    {"__main__", "cli"},
    {"__init__", "toolkit", "web"},
    {"run"},
    {"cleaner", "upkeep"},
    {"localengine", "slurm", "simple_linux_utility_for_resource_management_engine", "loader"},
    {"engine", "job", "task", "graph", "async_workflow", "reading"},
    {"jobs"},
    {"tools", "job_path", "block"},
    {"base"},
    {"global_settings", "delayed_ops", "hash", "global_constants"},
]
"""Modules and folders, from the top down to the ground."""

NAMES_OF_UPSTREAM = set(
    "global_constants global_settings hash delayed_ops block job_path tools job task graph loader async_workflow "
    "engine localengine simple_linux_utility_for_resource_management_engine cleaner toolkit __main__ __init__".split()
)
FILE_OF_A_TASK = re.compile(
    r"(log|error|finished|usage|usage_history)\.(\w+\.\d+)?|submit_log.*|\.error\..*|\.cleared\..*"
)
"""Names of such files, and the beginnings of names that code completes."""

LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


def imported(path, package):
    """Dotted names, below ``package``, of the modules that a file imports anywhere in it."""
    here = list(path.relative_to(package).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name.split(".")[1:] for alias in node.names if alias.name.startswith(package.name + ".")]
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] == package.name):
            above = here[: len(here) - node.level] if node.level else []
            inside = (node.module or "").split(".")[0 if node.level else 1 :]
            base = [*above, *filter(None, inside)]
            found = [[*base, alias.name] for alias in node.names]
        else:
            continue
        yield from (module for parts in found if (module := module_of(parts, package)))


def module_of(parts, package):
    """The longest beginning of a name that is a module of the package."""
    for end in range(len(parts), 0, -1):
        path = package.joinpath(*parts[:end])
        if path.with_suffix(".py").exists():
            return ".".join(parts[:end])
        if (path / "__init__.py").exists():
            return ".".join([*parts[:end], "__init__"])
    return None


def imports(package=ENGINE):
    """Module -> the modules that it imports."""
    files = {".".join(path.relative_to(package).with_suffix("").parts): path for path in package.rglob("*.py")}
    return {name: set(imported(path, package)) - {name} for name, path in files.items()}


def upward(arrows, layer_of):
    rooms = lambda name: name.partition(".")[0]
    return sorted(
        f"{name} imports {other}"
        for name, others in arrows.items()
        for other in others
        if layer_of[rooms(other)] < layer_of[rooms(name)]
    )


def in_circles(arrows):
    """Modules that import each other in a circle, or need such modules."""
    left = dict(arrows)
    while free := [name for name, others in left.items() if not others & set(left)]:
        for name in free:
            del left[name]
    return sorted(left)


def test_every_module_has_a_layer():
    assert {name.partition(".")[0] for name in imports()} == set(LAYER_OF)


def test_on_top_is_only_what_upstream_has():
    assert {path.stem for path in ENGINE.glob("*.py")} == NAMES_OF_UPSTREAM


def test_no_import_points_upward():
    assert upward(imports(), LAYER_OF) == []


def test_no_imports_lead_in_a_circle():
    assert in_circles(imports()) == []


def test_one_module_knows_the_names_of_the_files_of_a_task():
    """Others ask `layout`: no text of the engine is, or begins with, the name of such a file."""
    for path in ENGINE.rglob("*.py"):
        if path.stem in ("layout", "global_constants"):
            continue
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not [text for text in texts if isinstance(text, str) and FILE_OF_A_TASK.fullmatch(text)], path


@pytest.fixture
def wrong(tmp_path):
    for name, text in {
        "job": "from .base import role\nfrom .base.role import x",
        "base/__init__": "",
        "base/role": "def f():\n    from ..toolkit import y\n    import made.job",
        "toolkit": "from . import job",
    }.items():
        path = (tmp_path / "made" / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "made"


def test_wrong_directions_would_be_found(wrong):
    arrows = imports(wrong)
    assert upward(arrows, LAYER_OF) == ["base.role imports job", "base.role imports toolkit"]
    assert in_circles(arrows) == ["base.role", "job", "toolkit"]
