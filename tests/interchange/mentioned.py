"""Which names of the engine the recipes of a folder mention."""

import ast
import warnings
from pathlib import Path

SHORT = {"tk": "sisyphus.toolkit", "gs": "sisyphus.global_settings", "Job": "sisyphus.Job", "Path": "sisyphus.Path"}


def mentioned_names(folder):
    """Dotted names without private parts, such as ``sisyphus.toolkit.register_output``."""
    names = set()
    for file in filter(Path.is_file, folder.rglob("*.py")):  # some are links to nowhere
        text = file.read_text(encoding="utf-8", errors="replace")
        if "sisyphus" in text:
            names |= _mentioned(text)
    return {name for name in names if "._" not in name}


def _mentioned(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return set()
    known = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            known |= {
                a.asname or "sisyphus": a.name if a.asname else "sisyphus" for a in node.names if _of_engine(a.name)
            }
        elif isinstance(node, ast.ImportFrom) and not node.level and _of_engine(node.module):
            for a in node.names:
                known |= SHORT if a.name == "*" else {a.asname or a.name: _full(f"{node.module}.{a.name}")}
    attributes = (_name(node, known) for node in nodes if isinstance(node, ast.Attribute))
    return {*known.values(), *filter(None, attributes)}


def _of_engine(module):
    return module.partition(".")[0] == "sisyphus"


def _full(name):
    return SHORT.get(name.removeprefix("sisyphus."), name)


def _name(node, known):
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and (base := _name(node.value, known)):
        return _full(f"{base}.{node.attr}")
    return None
