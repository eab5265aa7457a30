"""Job ids and value encodings equal the recorded ones of upstream."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_recorded_ids_values_and_singletons_match():
    """107 jobs, 145 values, 11 facts about copies and pickles: see fixtures/make_hash_fixtures.py."""
    if sys.version_info < (3, 11):
        pytest.skip("the encoding of combined flags was recorded with Python 3.11")
    result = subprocess.run(
        [sys.executable, "make_hash_fixtures.py", "--check"],
        cwd=HERE / "fixtures",
        env={"SIS_GLOBAL_SETTINGS_FILE": "", "PYTHONPATH": str(HERE.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [
        "value_fixtures.json rows: 145 different: []",
        "hash_fixtures.json rows: 107 different: []",
        "singleton_fixtures.json rows: 11 different: []",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "AOVVQlboB7S7"), ("abc", "TmLmRrLma9wV"), (None, "ofRJhp5ks8fN"), ({"b": 1, "a": 2}, "9DP14XLtNULv")],
)
def test_short_hash(value, text):
    from sisyphus.hash import short_hash

    assert short_hash(value) == text
