"""Imports all modules of a package in ``recipe/``; writes ``{module: the error, or nothing}``.

python imports.py PACKAGE RESULT.json
"""

import importlib
import json
import sys
from pathlib import Path

import sisyphus  # noqa: F401  finds what is in recipe/


def modules(folder):
    """Dotted names of the modules below ``recipe/<folder>``, without tests."""
    for file in sorted(Path("recipe", folder).rglob("*.py")):
        parts = file.relative_to("recipe").with_suffix("").parts
        if "tests" not in parts and all(part.isidentifier() for part in parts):
            yield ".".join(parts).removesuffix(".__init__")


def import_error(module):
    """Type and text of the exception; some modules are programs and leave by `SystemExit`."""
    try:
        importlib.import_module(module)
    except BaseException as e:
        return f"{type(e).__name__}: {e}"
    return ""


if __name__ == "__main__":
    package, result = sys.argv[1:]
    del sys.argv[1:]  # programs among the modules would read them
    Path(result).write_text(json.dumps({module: import_error(module) for module in modules(package)}))
