"""Shared fixtures: small jobs are run in-process, each test in a work folder of its own."""

import os
import shutil

import pytest
from filelock import FileLock

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["SIS_GLOBAL_SETTINGS_FILE"] = ""


@pytest.fixture
def run_jobs(tmp_path, monkeypatch):
    """``run_jobs(*outputs)`` runs every job that the outputs need, one after the other, below ``tmp_path``."""
    from sisyphus import gs, job, tk

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(job, "created_jobs", {})
    (tmp_path / "work").mkdir()

    def run(*outputs):
        tk.run(list(outputs), quiet=True)

    return run


@pytest.fixture
def run_here(tmp_path, monkeypatch):
    """``run_here(job)`` calls the job's ``run``, whose inputs exist already, and returns the job."""
    from sisyphus import gs, job

    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(job, "created_jobs", {})

    def run(created):
        outputs = [value for name, value in vars(created).items() if name.startswith("out_")]
        for output in outputs:
            os.makedirs(os.path.dirname(output.get_path()), exist_ok=True)
        work = os.path.join(os.path.dirname(os.path.dirname(outputs[0].get_path())), "work")
        os.makedirs(work, exist_ok=True)
        monkeypatch.chdir(work)
        created.run()
        return created

    return run


@pytest.fixture(scope="session")
def built_once(tmp_path_factory):
    """``built_once(name, build)``: a folder that ``build(folder)`` fills, once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name, build):
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                build(folder)
                done.touch()
        return folder

    return get


@pytest.fixture(scope="session")
def kenlm_work(built_once):
    """A work folder with a finished BuildKenLmToolsJob, once for all tests that need KenLM's programs.

    They are not optimised, which would take twice as long as all their runs on the small texts of tests.
    """
    return built_once("kenlm", _build_kenlm) / "work"


def _build_kenlm(folder):
    from sisyphus import gs, job, tk

    from ctc_kd.lm import kenlm_tools

    (folder / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(gs, "BASE_DIR", str(folder))
        patch.setattr(job, "created_jobs", {})
        patch.setattr(kenlm_tools, "BUILD_TYPE", "None")
        try:
            kenlm_tools.download()
        except RuntimeError:
            pytest.skip("KenLM's source package cannot be fetched")
        tk.run([kenlm_tools.BuildKenLmToolsJob().out_bin], quiet=True)


@pytest.fixture(scope="session")
def kenlm_programs(kenlm_work):
    """The directory with lmplz and build_binary."""
    return str(next(kenlm_work.glob("ctc_kd/lm/kenlm_tools/BuildKenLmToolsJob.*/output/bin")))
