"""Which module of a package imports which, read from the source: also imports inside functions count.

A *room* is a file or folder directly in the package's folder; an *arrow* goes from the room that imports to the one
that is imported. ``__init__`` of the package is no room: it is loaded with every module.
"""

import ast
import functools
from pathlib import Path


def module_names(package):
    """``{dotted name below the package: file}`` of a package's folder, ``""`` for its own ``__init__``."""
    package = Path(package)
    names = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


@functools.cache
def imports(package):
    """``{(importer, imported): whether one of the imports is at the top of the module}``, dotted names as above."""
    package, found = Path(package), {}
    names = module_names(package)
    for importer, file in names.items():
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
        inside = importer if file.name == "__init__.py" else importer.rpartition(".")[0]
        functions = [f for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
        late = {id(node) for function in functions for node in ast.walk(function)}
        for node in ast.walk(tree):
            for imported in _imported(node, package.name, inside, names):
                if imported != importer:
                    key = importer, imported
                    found[key] = found.get(key, False) or id(node) not in late
    return found


def _imported(node, package, inside, names):
    """Modules of the package that one statement imports; ``inside``: the folder in which it stands."""
    if isinstance(node, ast.Import):
        bases = [alias.name.removeprefix(package).lstrip(".") for alias in node.names if _is_ours(alias.name, package)]
        return {base for base in bases if base in names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    if node.level:
        parts = inside.split(".") if inside else []
        base = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
    elif _is_ours(node.module, package):
        base = node.module.removeprefix(package).lstrip(".")
    else:
        return set()
    below = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
    return {name if name in names else base for name in below} & names.keys()


def _is_ours(name, package):
    return name == package or name.startswith(package + ".")


def rooms(package):
    return sorted({name.partition(".")[0] for name in module_names(package)} - {""})


def arrows(package, top_only=False):
    """``{(room, room)}``; ``top_only``: without imports inside functions."""
    between = {
        (a.partition(".")[0], b.partition(".")[0]) for (a, b), top in imports(package).items() if top or not top_only
    }
    return {(a, b) for a, b in between if a != b and a and b}


def circles(nodes, edges):
    """Sets of two or more nodes that all lead to each other (strongly connected components)."""
    reached = {node: _reachable(node, edges) for node in nodes}
    found = {frozenset(m for m in reached[node] if node in reached[m]) for node in nodes}
    return sorted((set(circle) for circle in found if len(circle) > 1), key=len, reverse=True)


def _reachable(start, edges):
    """Nodes at the end of one arrow or more."""
    following = {}
    for a, b in edges:
        following.setdefault(a, set()).add(b)
    seen, stack = set(), [start]
    while stack:
        new = following.get(stack.pop(), set()) - seen
        seen |= new
        stack += new
    return seen


def floors(nodes, edges):
    """``{node: floor}`` from 1: one above the highest floor that it leads to. A circle lies on one floor."""
    home = {node: frozenset({node}) for node in nodes}
    for circle in circles(nodes, edges):
        home.update(dict.fromkeys(circle, frozenset(circle)))
    below = {part: set() for part in home.values()}
    for a, b in edges:
        if home[a] is not home[b]:
            below[home[a]].add(home[b])
    known = {}

    def floor(part):
        if part not in known:
            known[part] = 1 + max(map(floor, below[part]), default=0)
        return known[part]

    return {node: floor(home[node]) for node in nodes}
