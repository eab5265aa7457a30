"""The environment of tasks: what is kept and set, and stored so that workers of both engines can read it."""

import os

import pytest
from sisyphus.tools import EnvironmentModifier


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(os, "environ", {"HOME": "/home/u", "SECRET": "1", "PATH": "/bin"})
    return os.environ


def test_kept_set_and_deleted(environment):
    modifier = EnvironmentModifier()
    modifier.keep({"HOME"})
    modifier.keep("ABSENT")
    modifier.set({"PATH": "/venv:$PATH", "THREADS": 1})
    modifier.set_verbatim("RAW", "$HOME")
    modifier.modify_environment()
    assert environment == {"HOME": "/home/u", "PATH": "/venv:/bin", "THREADS": "1", "RAW": "$HOME"}


def test_the_last_setting_counts(environment):
    modifier = EnvironmentModifier(cleanup_env=False)
    modifier.set_verbatim("A", "$HOME")
    modifier.set("A", "$HOME")
    modifier.set("B", "$HOME")
    modifier.set_verbatim("B", "$HOME")
    modifier.modify_environment()
    assert [environment[name] for name in ("SECRET", "A", "B")] == ["1", "/home/u", "$HOME"]


def test_stored_as_upstream_stores_it():
    modifier = EnvironmentModifier()
    modifier.set("A", 1)
    modifier.set_verbatim("B", "$C")
    stored = {"cleanup_env": True, "keep_vars": set(), "set_vars": {"A": 1}, "set_vars_verbatim": {"B": "$C"}}
    assert vars(modifier) == stored
