"""How failures are reported, and the rules that run a failed task again."""

import json
import os
import platform
import re
import time
from types import SimpleNamespace

import pytest
from patience import PATIENCE
from sisyphus import Job, Task, gs, tk
from sisyphus.base import processes, role
from sisyphus.base.refusal import ConfigError
from sisyphus.cli.job_text import StoredJobs, describe
from sisyphus.engine import EngineBase
from sisyphus.graph import SISGraph
from sisyphus.jobs import retry
from sisyphus.localengine import LocalEngine
from sisyphus.reading.failure import failure, last_cause
from sisyphus.run.failures import FailureHook, failure_of
from sisyphus.run.graph_states import GraphStates
from sisyphus.run.reporter import Reporter
from sisyphus.run.silence import SilenceWatch
from sisyphus.web.app import make_app


class Breaks(Job):
    """Fails with the texts it is given, one after the other, and then not any more."""

    def __init__(self, texts=(), tries=1):
        self.texts = texts
        self.tries = tries
        self.rqmt = {"mem": 2, "time": 1}
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("run", rqmt=self.rqmt, tries=self.tries)

    def run(self):
        used = len([name for name in os.listdir("..") if ".error." in name])
        if used < len(self.texts):
            raise RuntimeError(self.texts[used])
        open(self.out, "w").close()


@pytest.fixture
def manager_role(here):
    role.set_role("manager")
    retry._decided.clear()
    yield
    role.set_role(None)


def run_once(job):
    """One run of the task as a worker does it; the state that a manager sees afterwards."""
    job._sis_setup_directory()
    task = job._sis_next_task()
    from sisyphus.run.script_mode import _output_to

    with _output_to(task.path("log", 1)):
        print(
            f"Uname: uname_result(system='Linux', node='{os.environ.get('TEST_NODE', 'n1')}', release='1')", flush=True
        )
        task.run(1)
    return task.state(None)


@pytest.mark.parametrize(
    "raised", ["ValueError: a", "ctc_kd.decoding.workers.WorkersDied: workers died", "zlib.error: b", "my.lib.Stop"]
)
def test_the_cause_is_the_exception_whatever_its_name(raised):
    log = ["[x] ERROR: Job failed, traceback:", "Traceback (most recent call last):", '  File "a.py", line 1, in run']
    log += ["    raise Stop", raised, "[x] INFO: Max resources", "a.dotted.name: of a program"]
    assert last_cause(log) == raised
    assert last_cause(log[:3]) is last_cause([]) is None
    killed = "[x] ERROR: the worker process ended by signal SIGKILL without a result"
    assert last_cause([killed, *log[:4], "StopIteration"]) == "StopIteration", "not that of an earlier try"
    assert last_cause(["[x] ERROR: the worker process ended by signal SIGKILL", *log[5:]]) == log[0].replace(
        "Job failed, traceback:", "the worker process ended by signal SIGKILL"
    ).removeprefix("[x] ERROR: ")


# rules ---------------------------------------------------------------------------------------------------------------
def test_rule_runs_a_task_again_up_to_a_number_of_times(manager_role, monkeypatch, caplog):
    monkeypatch.setattr(gs, "RETRY_RULES", [{"pattern": r"CUDA error: \w+", "times": 2}])
    job = Breaks(["CUDA error: unspecified", "CUDA error: launch", "CUDA error: again"])
    assert [run_once(job) for _ in range(3)] == ["runnable", "runnable", "error"]
    assert sorted(name for name in os.listdir(job._sis_path()) if name.startswith(("log", "error"))) == [
        "error.run.1",
        "log.run.1",
        "log.run.1.error.01",
        "log.run.1.error.02",
    ]
    assert re.search(
        r"again: \S*Breaks\S+ task run 1, retry 2 of 2, because of: RuntimeError: CUDA error: launch", caplog.text
    )
    retry._decided.clear()
    assert job._sis_next_task().state(None) == "error", "a new manager counts what happened before"


def test_rules_leave_other_failures_and_jobs_alone(manager_role, monkeypatch):
    monkeypatch.setattr(
        gs, "RETRY_RULES", [{"pattern": "CUDA error", "job": "Train"}, {"pattern": "^RuntimeError: full$"}]
    )
    assert run_once(Breaks(["no such file"])) == "error"
    assert run_once(Breaks(["CUDA error"])) == "error", "the rule is about jobs of another kind"
    assert run_once(Breaks(["full"])) == "runnable"
    role.set_role(None)
    assert run_once(Breaks(["full", "x"])) == "error", "only a manager decides"


def test_tries_of_a_task_come_first(manager_role, monkeypatch):
    monkeypatch.setattr(gs, "RETRY_RULES", [{"pattern": "full"}])
    job = Breaks(["other", "full", "full"], tries=2)
    assert [run_once(job) for _ in range(3)] == ["runnable", "runnable", "error"]


def test_try_without_a_log_counts(manager_role):
    """A worker may fail before it has one."""
    job = Breaks(tries=3)
    job._sis_setup_directory()
    (task,) = job._sis_tasks()
    states = []
    for _ in range(4):
        open(task.path("error", 1), "w").close()
        states.append(task.state(None))
    assert states == ["runnable", "runnable", "error", "error"]


def test_rule_raises_requests_and_names_the_node(manager_role, monkeypatch):
    """From the recipe's figures, so that further submissions do not raise them once more."""
    rule = {"pattern": "CUDA out of memory", "times": 3, "multiply": {"mem": 2, "gpu_mem": 3}, "exclude_node": True}
    monkeypatch.setattr(gs, "RETRY_RULES", [rule])
    engine, job = LocalEngine(cpus=1), Breaks(["CUDA out of memory"] * 3)
    asked = []
    for node in ("n1", "n2"):
        monkeypatch.setenv("TEST_NODE", node)
        assert run_once(job) == "runnable"
        task = job._sis_next_task()
        for _ in range(2):
            rqmt = engine.get_rqmt(task, 1)
            task.log_submission([1], rqmt, "local", "here")
            asked.append((rqmt["mem"], rqmt["time"], rqmt["exclude_nodes"]))
    assert asked == [(4, 1, ["n1"])] * 2 + [(8, 1, ["n1", "n2"])] * 2
    job._sis_task_rqmt_overwrite["run"] = ({"mem": 16}, True)
    assert engine.get_rqmt(task, 1)["mem"] == 64, "the recipe's new figure counts"


def test_the_node_stands_behind_all_inputs_and_has_a_domain(here):
    log = here / "log.run.1.error.01"
    begin = "Uname: Linux cn-001.hpc.example.org 6.1\n"  # before it was interrupted
    log.write_text(begin + "[now] INFO: an input with a long name\n" * 4000 + begin.replace("001", "117"))
    assert retry._host(str(log)) == ("cn-117",)


def test_error_of_a_slurm_job_counts_once(manager_role, monkeypatch):
    """Slurm says FAILED of the worker whose error was put aside for another try."""
    from sisyphus.slurm.commands import Record
    from sisyphus.slurm.end import record_end

    monkeypatch.setattr(gs, "RETRY_RULES", [{"pattern": "CUDA error", "times": 3}])
    job = Breaks(["CUDA error"])
    job._sis_setup_directory()
    task = job._sis_next_task()
    open(task.path("log", 1), "w").close()
    os.link(task.path("log", 1), job._sis_path("engine", abspath=True) + "/name.7.1")
    assert run_once(job) == "runnable"
    assert record_end(task, 1, Record(7, 1, "FAILED", status=256), "name").state == "FAILED"
    assert task.state(None) == "runnable" and not os.path.exists(task.path("log", 1))


def test_excluded_nodes_reach_slurm():
    from sisyphus.slurm.commands import sbatch_call

    rqmt = {"cpu": 1, "mem": 1, "time": 1}
    for nodes, expected in ((["n1", "n2"], ["--exclude=n1,n2"]), ([], [])):
        call = sbatch_call("name", "logs", ["sis"], {**rqmt, "exclude_nodes": nodes}, [1], 0, "token", "node")
        assert [argument for argument in call if argument.startswith("--exclude")] == expected


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("CUDA", "a dict with 'pattern'"),
        ({"times": 2}, "a dict with 'pattern'"),
        ({"pattern": "x", "time": 2}, "a dict with 'pattern'"),
        ({"pattern": "(x"}, "no regular expression"),
        ({"pattern": "x", "times": 0}, "whole number above 0"),
        ({"pattern": "x", "multiply": {"mem": 0.5}}, "factors above 1"),
    ],
)
def test_wrong_rules(monkeypatch, rule, text):
    monkeypatch.setattr(gs, "RETRY_RULES", [{"pattern": "fine"}, rule])
    with pytest.raises(ConfigError, match=rf"RETRY_RULES\[1\] of the settings.*{text}"):
        retry.rules()


def test_rules_of_the_settings_file(folder):
    """The run ends well although the job fails at first; a wrong rule ends the manager before it begins."""
    settings = folder / "settings.py"
    before = settings.read_text()
    settings.write_text(
        before + "RETRY_RULES = [{'pattern': 'is broken', 'exclude_node': True, 'multiply': {'mem': 2}}]\n"
    )
    recipe = folder / "recipe" / "kinds.py"
    recipe.write_text(
        recipe.read_text().replace(
            '"repaired")', '"work", "kinds", os.path.basename(os.path.dirname(os.getcwd())), "log.run.1.error.01")'
        )
    )
    status, output = folder.sis("manager", "-r", "config.fails('raise')")
    assert status == 0 and "FAILED" not in output, output
    assert "retry 1 of 1, because of: ValueError: utterance 17 is broken" in output
    second = (folder.job("Fails") / "submit_log.run").read_text().splitlines()[1]
    assert "'mem': 2" in second and f"'exclude_nodes': ['{platform.node().partition('.')[0]}']" in second
    settings.write_text(before + "RETRY_RULES = [{'patern': 'is broken'}]\n")
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 2 and "RETRY_RULES[0] of the settings should be a dict" in output


# reported once -------------------------------------------------------------------------------------------------------
HOOK = """
def on_new_failure(failure):
    import json
    told = ["title", "state", "task", "task_id", "log", "folder", "made_in", "cause", "again"]
    told = {**{name: getattr(failure, name) for name in told}, "host": failure.usage["host"], "text": failure.text()}
    with open(os.path.join(BASE_DIR, "told"), "a") as f:
        f.write(json.dumps(told) + "\\n")
    HOW
"""


def told_by(folder, how, config):
    settings = folder / "settings.py"
    settings.write_text(settings.read_text() + HOOK.replace("HOW", how))
    status, output = folder.sis("manager", "-r", config)
    return status, output, [json.loads(line) for line in (folder / "told").read_text().splitlines()]


def test_hook_is_told_once_and_all_that_matters(folder):
    (folder / "config" / "slowly.py").write_text(
        "from kinds import Fails, Trivial, Slow\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('fails', Fails('raise').add_alias('an/alias').out)\n"
        "    tk.register_output('slow', Trivial(1, [Trivial(2, [Trivial(3).out]).out]).out)\n"
    )
    status, output, told = told_by(folder, "pass", "config/slowly.py")
    assert status == 1 and len(told) == 1
    assert len((folder / "failures").read_text().splitlines()) > 1, "upstream's hook is called in every cycle"
    job = folder.job("Fails").name
    text, host = told[0].pop("text"), told[0].pop("host")
    assert host and told[0] == {
        "title": f"kinds/{job} (an/alias) task run 1: error, ValueError: utterance 17 is broken",
        "state": "error",
        "task": "run",
        "task_id": 1,
        "log": f"work/kinds/{job}/log.run.1",
        "folder": f"work/kinds/{job}",
        "made_in": "config/slowly.py:6",
        "cause": "ValueError: utterance 17 is broken",
        "again": f"sis rerun kinds/{job} config/slowly.py",
    }
    for line in text.splitlines():
        assert f"    {line}\n" in output
    assert "of 1:00:00" in text and "| ValueError: utterance 17 is broken" in text
    folder.sis("manager", "-r", "config/slowly.py")
    assert len((folder / "told").read_text().splitlines()) == 2, "once in every run"


def test_hook_that_fails_does_not_stop_the_run(folder):
    status, output, told = (
        told_by(folder, "raise KeyError('of the hook')", "config.slow_and_fails")
        if (folder / "go").touch() is None
        else (None, None, None)
    )
    assert status == 1 and "on_new_failure of the settings failed" in output and "KeyError" in output
    assert (folder / "output" / "slow").exists() and len(told) == 1


def test_run_does_not_wait_for_ever_for_the_hook(here, monkeypatch, caplog):
    import threading

    go = threading.Event()
    monkeypatch.setattr(gs, "on_new_failure", lambda failure: go.wait(PATIENCE))
    hook = FailureHook()
    hook.add("one")
    hook.add("two")
    hook.close(patience=0.05)
    assert "has not come to an end" in caplog.text
    go.set()
    FailureHook().close()


def test_failure_for_the_hook_of_upstream(here):
    """`on_job_failure` gets a job, and one call describes its failure."""
    job = Breaks(["no such luck"])
    run_once(job)
    found = failure_of(job)
    assert found.job is job and found.cause == "RuntimeError: no such luck"
    assert found.last_lines(1) and found.usage == {} and "used  " not in found.text()


def test_job_that_could_not_be_started(folder):
    settings = folder / "settings.py"
    settings.write_text(
        settings.read_text() + "def on_new_failure(failure):\n"
        "    with open(os.path.join(BASE_DIR, 'told'), 'a') as f:\n        f.write(failure.title + str(failure.log))\n"
    )
    status, _ = folder.sis("manager", "-r", "config.asks({'cpu': 7})")
    assert status == 1 and "asks for cpu=7" in (told := (folder / "told").read_text()) and told.endswith("None")


# silence -------------------------------------------------------------------------------------------------------------
def test_silent_tasks_are_told_once(here, monkeypatch, capsys):
    monkeypatch.setattr(gs, "SILENT_HOURS", 2)
    job = Breaks()
    job._sis_setup_directory()
    log = job._sis_next_task().path("log", 1)

    def written(hours):
        with open(log, "w") as f:
            f.write("epoch 3\n")
        os.utime(log, (time.time() - 3600 * hours,) * 2)

    states = {}
    engine = LocalEngine()
    monkeypatch.setattr(engine, "task_state", lambda task, i: states.get(i, "queue"))
    watch = SilenceWatch()
    written(2.5)
    assert not list(watch.new([job], engine)), "what was interrupted long ago is in the queue again"
    states[1] = "running"
    written(1.9)
    assert not list(watch.new([job], engine))
    written(2.5)
    [silent] = watch.new([job], engine)
    assert silent.why == "task run 1 runs, but has written nothing to its log for 2.5 hours" and silent.again == ""
    assert not list(watch.new([job], engine))
    written(3.0)
    assert len(list(watch.new([job], engine))) == 1, "it went on meanwhile"

    import sys

    graph, told = SISGraph(), []
    graph.add_target(tk.graph.OutputPath("x", job.out))
    view = GraphStates(graph, LocalEngine())
    monkeypatch.setattr(type(job._sis_next_task()), "_is_running", lambda self, i: True)
    view.refresh()
    reporter = Reporter(sys.stdout, told.append)
    reporter.update(view)
    reporter.update(view)
    assert len(told) == 1 and capsys.readouterr().out.count("SILENT") == 1


# one answer ----------------------------------------------------------------------------------------------------------
class Parts(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("part", args=[1, 2, 3, 4])

    def part(self, number):
        pass


class Scheduler(EngineBase):
    """Knows the states of some ids."""

    def __init__(self, states):
        self.states = states

    def task_state(self, task, task_id):
        return self.states.get(task_id, "unknown")


def test_why_names_the_ids_that_are_in_trouble(here):
    """Not one that is finished, that runs or that waits, although it comes first and has a log as well."""
    job = Parts()
    job._sis_setup_directory()
    for name in ("log.part.1", "finished.part.1", "log.part.2", "log.part.3"):
        with open(job._sis_path(name, abspath=True), "w") as f:
            f.write("RuntimeError: of id 3\n" if name == "log.part.3" else "")
    running = {"pid": os.getpid(), "host": processes.hostname(), "start_time": processes.start_time(os.getpid())}
    with open(job._sis_path("usage.part.2", abspath=True), "w") as f:
        f.write(repr(running))
    why = "task part 3: interrupted not resumable, RuntimeError: of id 3", "log.part.3"
    assert failure(job, "interrupted_not_resumable", engine=Scheduler({2: "running", 4: "queue"})) == why
    assert failure(job, "interrupted_not_resumable") == why, "the page and sis info say the same"
    held = Scheduler({2: "running", 3: "queue", 4: "queue_error"})
    assert failure(job, "queue_error", engine=held) == ("task part 4: queue error", None)


def test_marker_of_a_task_that_the_recipe_had_once(here):
    job = Parts()
    job._sis_setup_directory()
    for name in ("error.before.1", "error.part.2"):
        open(job._sis_path(name, abspath=True), "w").close()
    assert job._sis_state(Scheduler({})) == "error"
    assert failure(job, "error", engine=Scheduler({}))[0] == "task part 2: error"


def test_terminal_hook_and_page_give_one_answer(here):
    job = Breaks(["no such luck"])
    run_once(job)
    told = failure_of(job, engine=Scheduler({}))
    assert told.why == failure(job, "error")[0] == "task run 1: error, RuntimeError: no such luck"
    graph = SISGraph()
    graph.add_target(tk.graph.OutputPath("x", job.out))
    known = GraphStates(graph, Scheduler({}))
    known.refresh()
    page = make_app(SimpleNamespace(view=known, graph=graph, configs=SimpleNamespace(loaded=[]))).test_client()
    assert told.why in page.get(f"/job/{job.job_id()}").get_data(as_text=True)
    stored = StoredJobs()
    assert f"  state     error: {told.why}" in list(describe(stored.load(job._sis_path(abspath=True)), stored, 1))
