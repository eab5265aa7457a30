"""A setup folder for each engine, in which both do the same with public recipes."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from patience import PATIENCE

HERE = Path(__file__).parent
BUNDLED, UPSTREAM = "bundled", "upstream"
SETTINGS = """
WARNING_NO_FUNCTION_CALLED = False
RETURNN_PYTHON_EXE = RETURNN_ROOT = ""
RASR_ROOT, RASR_ARCH, SCTK_PATH, KALDI_PATH = "rasr", "linux-x86_64-standard", "sctk", "kaldi"
"""


def clean(environment):
    """Without other tests' settings."""
    return {name: value for name, value in environment.items() if not name.startswith("SIS_")}


class RecipeFolder:
    """A setup folder with checkouts in ``recipe/``: at the same place for each engine, because names may enter ids."""

    def __init__(self, path, upstream, checkouts):
        self.path = path / "setup"
        self.engines = {BUNDLED: HERE.parents[1] / "engine", UPSTREAM: upstream}
        self.checkouts = checkouts

    def __truediv__(self, name):
        return self.path / name

    def fresh(self, engine):
        """Begin anew, with this engine."""
        shutil.rmtree(self.path, ignore_errors=True)
        (self / "recipe").mkdir(parents=True)
        (self / "settings.py").write_text(SETTINGS)
        for name, checkout in self.checkouts.items():
            (self / "recipe" / name).symlink_to(checkout)
        self.engine = engine

    def python(self, *arguments, check=True, **environment):
        """Run Python in the folder."""
        path = {"PYTHONPATH": str(self.engines[self.engine]), "PYTHONHASHSEED": "0"}
        result = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.path,
            env={**clean(os.environ), **path, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert result.returncode == 0 or not check, result.stdout[-2000:] + result.stderr[-5000:]

    def passed(self, *tests, **environment):
        """Names of the tests that pass."""
        call = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "--junit-xml=tests.xml", *tests]
        self.python(*call, check=False, **environment)
        cases = ElementTree.parse(self / "tests.xml").iter("testcase")
        return {f"{case.get('classname')}.{case.get('name')}" for case in cases if not list(case)}

    def probe(self, name, *arguments):
        """``(with the bundled engine, with upstream)``: what a probe has written."""
        return tuple(self._written(engine, name, arguments) for engine in (BUNDLED, UPSTREAM))

    def _written(self, engine, name, arguments):
        self.fresh(engine)
        self.python(HERE / "probes" / f"{name}.py", *arguments, "result.json")
        return json.loads((self / "result.json").read_text())
