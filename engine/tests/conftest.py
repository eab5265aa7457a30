"""A fresh setup folder for each test, and ``sis`` run in it as a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from patience import PATIENCE, wait_until

HERE = Path(__file__).parent
os.environ["SIS_GLOBAL_SETTINGS_FILE"] = ""


class SetupFolder:
    """``folder / name`` are its files; `sis` runs a command to its end, `start` only starts it."""

    def __init__(self, path):
        self.path = path
        self.processes = []

    def __truediv__(self, name):
        return self.path / name

    def start(self, *args, **env):
        path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "SIS_GLOBAL_SETTINGS_FILE": "settings.py", "PYTHONPATH": path, **env}
        process = subprocess.Popen(
            [sys.executable, "-m", "sisyphus", *args],
            cwd=self.path,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # a shell starts background jobs, perhaps these tests, with Ctrl-C ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.processes.append(process)
        return process

    def sis(self, *args, **env):
        process = self.start(*args, **env)
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, output

    def serve(self, *configs):
        """Start a manager with a status page; returns its process, the address and the list of its lines."""
        process, lines = self.start("manager", "-r", "--http", "0", *configs), []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"Status page: (http://127\.0\.0\.1:\d+/)", line):
                threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True).start()
                return process, found[1], lines
        raise AssertionError("".join(lines))

    def job(self, pattern):
        """The one job folder whose id contains ``pattern``."""
        found = [p for p in (self / "work").rglob(f"*{pattern}*") if (p / "output").exists() and not p.is_symlink()]
        assert len(found) == 1, found
        return found[0]

    def wait_for(self, pattern, size=1):
        """Wait until one file of ``size`` bytes or more matches ``pattern`` below ``work/`` and return it."""

        def found():
            files = (self / "work").rglob(pattern)
            return next((p for p in files if p.is_file() and p.stat().st_size >= size), None)

        return wait_until(found, f"a file {pattern}")


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "setup"
    shutil.copytree(HERE / "setup_folder", path)
    yield (made := SetupFolder(path))
    (path / "go").touch()  # lets slow jobs that a failed test left behind end
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.stdout.close()
        process.wait()


@pytest.fixture(scope="module")
def finished_workflow(tmp_path_factory):
    """``(folder, exit status, output)`` of one run of the recorded demo workflow."""
    path = tmp_path_factory.mktemp("workflow") / "setup"
    shutil.copytree(HERE / "fixtures" / "workflow", path)
    folder = SetupFolder(path)
    return folder, *folder.sis("manager", "-r")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Jobs made in this process live in a folder and registry of their own."""
    from sisyphus import gs, job

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(job, "created_jobs", {})
    (tmp_path / "work").mkdir()
    return tmp_path
