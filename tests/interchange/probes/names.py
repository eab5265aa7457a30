"""Looks up names of the engine and writes those that it lacks.

python names.py NAMES.json RESULT.json
"""

import importlib
import json
import sys
from pathlib import Path


def is_there(name):
    """Whether a dotted name leads to a module or to something in one."""
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join(parts[:number]))
            except ImportError:
                return False
        found = getattr(found, part)
    return True


if __name__ == "__main__":
    names, result = map(Path, sys.argv[1:])
    result.write_text(json.dumps([name for name in json.loads(names.read_text()) if not is_there(name)]))
