"""Setup folders in which the bundled engine and upstream Sisyphus take turns, or do the same.

Environment variables name checkouts: SISYPHUS_UPSTREAM of https://github.com/rwth-i6/sisyphus, I6_CORE and
I6_EXPERIMENTS of the public recipes i6_core and i6_experiments beside it. This Python also needs upstream's package
flask, and what the recipes require (i6_core/requirements.txt): modules that miss a package are left out.
"""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from patience import PATIENCE
from recipe_folder import BUNDLED, UPSTREAM, RecipeFolder, clean


@pytest.fixture(scope="session")
def upstream():
    """The checkout's folder."""
    folder = checkout("SISYPHUS_UPSTREAM")
    program = folder / "sis"
    found = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, env=clean(os.environ))
    if found.returncode != 0:
        pytest.fail(f"SISYPHUS_UPSTREAM: {program} does not run here:\n{found.stderr[-2000:]}")
    return folder


def checkout(variable):
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no checkout")
    return Path(os.environ[variable]).resolve(strict=True)


@pytest.fixture(scope="session")
def i6_core():
    return checkout("I6_CORE")


@pytest.fixture(scope="session")
def i6_experiments(i6_core):
    return checkout("I6_EXPERIMENTS")


class SetupFolder:
    """``folder / name`` are its files; both engines run in it."""

    def __init__(self, path, checkout):
        self.path = path
        self.programs = {BUNDLED: ["-m", "sisyphus"], UPSTREAM: [str(checkout / "sis")]}
        self.started = []
        (path / "work").mkdir()

    def __truediv__(self, name):
        return self.path / name

    def start(self, engine, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, *self.programs[engine], *arguments],
            cwd=self.path,
            env={**clean(os.environ), "PWD": str(self.path), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, engine, *arguments, **environment):
        """:return: the output; upstream's question what to do when all is done is answered: update the links"""
        output, _ = self.start(engine, *arguments, **environment).communicate("u\n", timeout=PATIENCE)
        return output

    def files(self):
        """Below ``work``, whose folders may vanish meanwhile."""
        return [Path(folder) / name for folder, _, names in os.walk(self / "work") for name in names]

    def jobs(self):
        """Id -> folder of all jobs that were set up."""
        found = (path.parent for path in (self / "work").rglob("input") if path.is_dir() and not path.is_symlink())
        return {str(folder.relative_to(self / "work")): folder for folder in found}

    def job(self, pattern):
        (found,) = (folder for name, folder in self.jobs().items() if pattern in name)
        return found

    def history(self):
        """Id -> what its logs, submissions and ends were, and when, in seconds; of the finished jobs, packed or not."""
        return {name: history(folder) for name, folder in self.jobs().items() if is_finished(folder)}

    def links(self):
        """Of ``alias`` and ``output``, to where they lead."""
        found = [path for top in ("alias", "output") for path in (self / top).rglob("*")]
        return {str(path.relative_to(self.path)): os.readlink(path) for path in found if path.is_symlink()}

    def wait_for(self, process, *patterns):
        """Until files below ``work`` match, while the process runs."""
        end = time.monotonic() + PATIENCE
        while not all(any(path.match(pattern) for path in self.files()) for pattern in patterns):
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                pytest.fail(f"no files {patterns}:\n{process.communicate()[0]}")
            time.sleep(0.05)


def is_finished(folder):
    return (folder / "finished").exists() or (folder / "finished.tar.gz").exists()


def history(folder):
    kinds = ("log.", "submit_log.", "finished.")
    archive = folder / "finished.tar.gz"
    if archive.exists():
        with tarfile.open(archive) as file:
            return {entry.name: (entry.size, int(entry.mtime)) for entry in file if entry.name.startswith(kinds)}
    files = [path for path in folder.iterdir() if path.name.startswith(kinds)]
    return {path.name: (path.stat().st_size, int(path.stat().st_mtime)) for path in files}


@pytest.fixture
def setup_folder(tmp_path, upstream):
    """``setup_folder(path)`` copies a folder; what still runs in it at the end of the test is ended."""
    made = []

    def make(source):
        shutil.copytree(source, tmp_path / "setup", ignore=shutil.ignore_patterns("__pycache__"))
        made.append(SetupFolder(tmp_path / "setup", upstream))
        return made[-1]

    yield make
    for folder in made:
        for name in ("go", "repaired"):
            (folder / name).touch()
        for process in folder.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def recipes(tmp_path, upstream):
    """``recipes(name=checkout)``: a `RecipeFolder` with these checkouts."""
    return lambda **checkouts: RecipeFolder(tmp_path, upstream, checkouts)
