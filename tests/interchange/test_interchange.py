"""The bundled engine and upstream Sisyphus continue each other's work folders: what is finished never runs again."""

import ast
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE

pytestmark = [pytest.mark.upstream, pytest.mark.slow]

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
WORKFLOW = REPOSITORY / "engine" / "tests" / "fixtures" / "workflow"
BUNDLED, UPSTREAM = "bundled", "upstream"
both_ways = pytest.mark.parametrize(
    ("first", "second"), [(BUNDLED, UPSTREAM), (UPSTREAM, BUNDLED)], ids=lambda engine: f"then {engine}"
)
with_and_without_clean_up = pytest.mark.parametrize("clean_up", ["", "1"], ids=["unpacked", "packed"])


@both_ways
@with_and_without_clean_up
def test_recorded_workflow(setup_folder, first, second, clean_up):
    """Only the jobs that failed run again; then, without these, nothing is left to do."""
    folder = setup_folder(WORKFLOW)
    environment = {"DEMO_CLEANUP": clean_up, "SIS_PLOGGING_UPDATE_FILE_PERIOD": "1"}
    folder.run(first, "manager", "-r", **environment)
    before, links = folder.history(), folder.links()
    assert len(before) == 3 and len(links) == 4
    failed = set(folder.jobs()) - set(before)
    assert {name.split("/")[-1].split(".")[0] for name in failed} == {"Fails"}

    folder.run(second, "manager", "-r", "-co", **environment)
    assert set(folder.jobs()) == {*before, *failed, *(f"{name}.cleared.0001" for name in failed)}
    folder.run(second, "manager", "-r", DEMO_NO_FAIL="1", **environment)
    folder.run(first, "manager", "-r", DEMO_NO_FAIL="1", **environment)
    assert folder.history() == before
    assert folder.links() == links


@both_ways
@with_and_without_clean_up
def test_stopped_half_way(setup_folder, first, second, clean_up):
    """One job finished, one failed, one killed with its manager, one waiting."""
    folder = setup_folder(HERE / "setup_folder")
    manager = folder.start(first, "manager", "-r", "config/halfway.py", CLEANUP=clean_up)
    folder.wait_for(manager, "error.run.1", "starts", *(["Quick.*/finished.tar.gz"] if clean_up else []))
    slow = folder.job("Slow")
    end(manager, *workers_of(folder, slow.name))
    before = folder.history()
    assert [name.split(".")[0] for name in before] == ["stages/Quick"]

    for name in ("go", "repaired"):
        (folder / name).touch()
    folder.run(second, "manager", "-r", "-co", "config/halfway.py", CLEANUP=clean_up)
    after = folder.history()
    assert len(after) == 4 and {name: after[name] for name in before} == before
    assert (folder / "output" / "deep" / "last").read_text().split() == ["quick"] * 5
    links = folder.links()
    assert links.keys() == {"alias/first", "alias/in a folder/last", *(f"output/{name}" for name in OUTPUTS)}
    if not clean_up:
        assert len((slow / "work" / "starts").read_text().split()) == 2
        assert [ids for ids, _ in submissions(slow)] == [[1], [1]]

    folder.run(first, "manager", "-r", "config/halfway.py")
    assert folder.history() == after and folder.links() == links


OUTPUTS = ("first", "first number", "deep/last")


@both_ways
def test_a_running_task_is_watched_and_not_started_twice(setup_folder, first, second):
    folder = setup_folder(HERE / "setup_folder")
    (folder / "repaired").touch()
    manager = folder.start(first, "manager", "-r", "config/halfway.py")
    folder.wait_for(manager, "Slow.*/usage.run.1", "starts", "Fails.*/finished.run.1")
    slow = folder.job("Slow")
    end(manager)
    assert workers_of(folder, slow.name)

    manager = folder.start(second, "manager", "-r", "config/halfway.py")
    with pytest.raises(subprocess.TimeoutExpired):
        manager.communicate("", timeout=5)
    (folder / "go").touch()
    output, _ = manager.communicate(timeout=PATIENCE)
    assert len(folder.history()) == 4, output
    assert (slow / "work" / "starts").read_text().split() == ["started"]
    assert len(submissions(slow)) == 1


@both_ways
def test_jobs_of_the_pipeline(setup_folder, first, second):
    """One half with one engine, what follows from it with the other, then nothing with the first."""
    folder = setup_folder(HERE / "setup_folder")
    manager = folder.start(first, "manager", "-r", "config/speech.py", CLEANUP="1")
    folder.wait_for(manager, "*LexiconJob.*/finished*", "ogg_zip/OggZipJob.*/finished*")
    end(manager, *workers_of(folder))
    before, links = folder.history(), folder.links()
    output = folder.run(second, "manager", "-r", "config/speech.py", CLEANUP="1")
    after = folder.history()
    assert {name: after[name] for name in before} == before
    assert len(after) == len(folder.jobs()) > len(before), output
    assert len(list((folder / "output" / "speech").iterdir())) == 6
    assert links.items() <= folder.links().items()

    folder.run(first, "manager", "-r", "config/speech.py")
    assert folder.history() == after


@both_ways
def test_a_job_that_one_set_up_is_run_by_the_other(setup_folder, first, second):
    """The stored job is read by a worker of the other engine."""
    folder = setup_folder(HERE / "setup_folder")
    commands = [
        "from ctc_kd.corpus.synthetic.demo import SynthesiseDemoCorpusJob",
        "tk.setup_job_directory(SynthesiseDemoCorpusJob(minutes={'dev': 0.1}))",
    ]
    calls = [word for command in commands for word in ("-c", command)]
    output = folder.run(first, "console", "--skip_config", "--script", *calls)
    (job,) = folder.jobs().values()
    assert (job / "job.save").exists(), output
    output = folder.run(second, "worker", str(job.relative_to(folder.path)), "synthesise", "1")
    assert (job / "finished.synthesise.1").exists(), output
    assert list((job / "output" / "corpus" / "dev").rglob("*.flac"))


def test_job_ids_of_the_paper(upstream):
    """Upstream gives the golden ones, and for the demo those of the bundled engine."""
    golden = (REPOSITORY / "tests" / "experiments" / "golden_ids.txt").read_text()
    script = [sys.executable, REPOSITORY / "tests" / "experiments" / "golden_ids.py"]
    assert python(script, upstream) == golden

    code = "import sisyphus.job, config.demo; config.demo.py(); print(*sorted(sisyphus.job.created_jobs), sep='\\n')"
    found, expected = (python([sys.executable, "-c", code], checkout) for checkout in (upstream, None))
    assert found == expected and len(found.split()) > 100


def python(command, upstream):
    environment = {**os.environ, "SIS_GLOBAL_SETTINGS_FILE": "", "PYTHONPATH": str(upstream or "")}
    result = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def end(*processes):
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile
            process.kill()
        process.wait()


def workers_of(folder, pattern=""):
    """Processes that run tasks of jobs whose folder's name contains ``pattern``; those that started others first."""
    found = []
    for process in psutil.process_iter():
        try:
            call = " ".join(process.cmdline())
            if " worker " in call and pattern in call and str(folder.path) == process.environ().get("PWD"):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def submissions(job):
    return [ast.literal_eval(line) for line in (job / "submit_log.run").read_text().splitlines()]
