"""The values, paths and jobs of recipes are equal in both engines: their text, id and result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "engine"


@pytest.mark.upstream
def test_expressions_of_recipes(tmp_path, upstream):
    ours, better = evaluate(ENGINE, tmp_path / "bundled")
    theirs, worse = evaluate(upstream, tmp_path / "upstream")
    assert {line: (ours[line], theirs[line]) for line in ours if ours[line] != theirs[line]} == {}
    assert len(ours) > 100 and {"raises"} not in [set(better[line]) for line in better]
    assert [line for line in better if better[line] == worse[line]] == []


def evaluate(engine, folder):
    """What `values.main` prints with this engine: expression -> text, id and result, of equal and of better ones."""
    folder.mkdir()
    search = os.pathsep.join(map(str, (engine, HERE)))
    result = subprocess.run(
        [sys.executable, "-c", "import values; values.main()"],
        cwd=folder,
        env={**os.environ, "SIS_GLOBAL_SETTINGS_FILE": "", "PYTHONPATH": search},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
