"""What a job takes from its arguments and from the settings when it is made, and from neither of them later."""

import ast
import os

import pytest
from sisyphus import Job, gs, tk
from sisyphus.localengine import LocalEngine
from sisyphus.task import Task


class Plain(Job):
    def __init__(self, values, other=None):
        pass


class SetsAll(Job):
    def __init__(self, values, hold, other=5):
        super().__init__()
        self.other = 3
        self.set_attrs(locals())


class SeesItsArguments(Job):
    def __init__(self, values, other):
        self.is_own = self.values is values
        self.other += 1


def test_all_arguments_as_attributes(here, caplog):
    """``self.set_attrs(locals())``: what the job and its class have stays."""
    job = SetsAll([1], hold=2)
    assert {name: value for name, value in vars(job).items() if name[0] != "_"} == {"values": [1], "other": 3}
    assert job.hold() is job and "hold already" in caplog.text and "other already" in caplog.text
    assert "self" not in caplog.text and "__class__" not in caplog.text


def test_arguments_are_attributes_before_the_constructor_runs(here, monkeypatch):
    monkeypatch.setattr(gs, "AUTO_SET_JOB_INIT_ATTRIBUTES", True)
    given = [1]
    job = SeesItsArguments(given, other=1)
    assert job.is_own and job.values == given and job.values is not given and job.other == 2


def test_arguments_that_are_changed_later(here):
    """Configs fill one list or dictionary for several jobs; each job keeps what it got."""
    values, jobs = [], []
    for number in range(2):
        values.append(number)
        jobs.append(Plain(values))
    assert [job._sis_kwargs["values"] for job in jobs] == [[0], [0, 1]]
    assert [Plain._sis_hash_static(job._sis_kwargs) for job in jobs] == [job.job_id()[-12:] for job in jobs]


def test_folder_and_text_of_a_job(here, monkeypatch):
    monkeypatch.setattr(gs, "ALIAS_AND_OUTPUT_SUBDIR", "part/")
    job = Plain(1, sis_tags={"t" * 50, "u" * 50}).add_alias("name")
    assert str(job) == f"Job<alias/part/name work/{job.job_id()}>"
    monkeypatch.setattr(gs, "JOB_USE_TAGS_IN_PATH", True)
    assert job._sis_path() == f"work/{job.job_id()}.{'t' * 50}.{'u' * 28}"


def test_hash_that_is_no_name():
    class Odd(Plain):
        @classmethod
        def hash(cls, parsed_args):
            return "two words"

    with pytest.raises(AssertionError, match=r"Odd.hash must return letters, digits and .-_/ but gave 'two words'"):
        Odd._sis_hash_static({})


def test_parts_of_a_config_have_settings_of_their_own(here, monkeypatch):
    """Wrapper and environment are those of the time when a job was made."""
    monkeypatch.setattr(gs, "DEFAULT_ENVIRONMENT_SET", {"BOTH": 1})
    monkeypatch.setattr(gs, "DEFAULT_ENVIRONMENT_KEEP", {"HOME"})
    monkeypatch.setattr(gs, "worker_wrapper", gs.worker_wrapper)
    jobs = []
    for name in ("a", "b"):
        gs.DEFAULT_ENVIRONMENT_SET["MODE"] = name
        gs.DEFAULT_ENVIRONMENT_KEEP.add(name)
        gs.worker_wrapper = lambda job, task, call, name=name: [name, task, *call[-1:]]
        jobs.append(Plain(name).set_env("MINE", "$HOME"))
    environments = [job._sis_environment for job in jobs]
    assert [e.set_vars for e in environments] == [{"BOTH": 1, "MODE": "a"}, {"BOTH": 1, "MODE": "b"}]
    assert [e.keep_vars for e in environments] == [{"HOME", "a"}, {"HOME", "a", "b"}]
    assert [e.set_vars_verbatim for e in environments] == [{"MINE": "$HOME"}] * 2
    assert [call_of(job) for job in jobs] == [["a", "set_attrs", "set_attrs"], ["b", "set_attrs", "set_attrs"]]

    jobs[0]._sis_setup_directory()
    stored = tk.load_job(jobs[0]._sis_path())
    assert vars(stored._sis_environment) == vars(environments[0])


def test_a_stored_job_is_wrapped_as_the_settings_say_now(here, monkeypatch):
    from sisyphus import job as job_module

    job = Plain("stored")
    job._sis_setup_directory()
    job_module.created_jobs.clear()
    monkeypatch.setattr(gs, "worker_wrapper", lambda job, task, call: ["now"])
    assert call_of(tk.load_job(job._sis_path())) == ["now"] != call_of(job)


def call_of(job):
    task = Task("set_attrs")
    task.set_job(job)
    return LocalEngine().worker_call(task)


class Sees(Job):
    def __init__(self, number):
        self.number = number
        self.out = self.output_var("seen")

    def run(self):
        self.out.set((tk.running_in_worker(), self.number.get()))


def test_jobs_of_a_script_see_a_worker(here, monkeypatch):
    """``tk.run`` runs them in this process, which is none before and after."""
    monkeypatch.setattr(gs, "DELAYED_CHECK_FOR_WORKER", True)
    number = tk.Variable("number")
    number.set(3)
    job = Sees(number)
    tk.run(job, quiet=True)
    assert not tk.running_in_worker()
    monkeypatch.setattr(gs, "DELAYED_CHECK_FOR_WORKER", False)
    assert job.out.get() == (True, 3)


def test_an_environment_that_is_not_cleaned_is_not_set_either(here, monkeypatch):
    monkeypatch.setattr(gs, "CLEANUP_ENVIRONMENT", False)
    environment = Plain("not cleaned").set_env("MINE", "yes")._sis_environment
    assert (environment.set_vars, environment.set_vars_verbatim) == ({}, {"MINE": "yes"})


RECIPE = """
import os
from sisyphus import Job


class Environment(Job):
    def __init__(self, name):
        self.out = self.output_var("environment")

    def run(self):
        self.out.set(dict(os.environ))


class Cached(Job):
    def __init__(self, source):
        self.source = source
        self.folder = self.output_path("folder", directory=True, cached=True)
        self.out = self.folder.join_right("out")

    def run(self):
        with open(self.source) as f, open(self.out, "w") as out:
            out.write(f.read() + "+")
"""
CONFIG = """
from parts import Cached, Environment
from sisyphus import gs, tk


def settings():
    for name in ("one", "two"):
        gs.DEFAULT_ENVIRONMENT_SET["MODE"] = name
        gs.DEFAULT_ENVIRONMENT_KEEP.add("WRAPPED")
        gs.worker_wrapper = lambda job, task_name, call, name=name: ["env", f"WRAPPED={name}", *call]
        tk.register_output(name, Environment(name).out)


def cached():
    tk.register_output("second", Cached(Cached(tk.Path("in", cached=True)).out).out)
"""
SETTINGS = """
def file_caching(path):
    with open(os.path.join(BASE_DIR, "asked"), "a") as f:
        f.write(path + "\\n")
    return path
"""


@pytest.fixture
def parts(folder):
    (folder / "recipe" / "parts.py").write_text(RECIPE)
    (folder / "config" / "parts_of.py").write_text(CONFIG)
    with open(folder / "settings.py", "a") as f:
        f.write(SETTINGS)
    return folder


def test_parts_run_in_their_own_environment(parts):
    status, output = parts.sis("manager", "-r", "config.parts_of.settings")
    assert status == 0, output
    for name in ("one", "two"):
        environment = ast.literal_eval((parts / "output" / name).read_text())
        assert (environment["MODE"], environment["WRAPPED"]) == (name, name)


def test_only_inputs_are_read_from_the_cache(parts):
    """Not what the job itself writes, also if its name is derived from that of a cached folder."""
    (parts / "in").touch()
    status, output = parts.sis("manager", "-r", "config.parts_of.cached")
    assert status == 0, output
    assert (parts / "output" / "second").read_text() == "++"
    first, second = (parts / "asked").read_text().splitlines()
    assert first == str(parts / "in") and second.endswith("output/folder/out")
    assert second != os.path.realpath(parts / "output" / "second")
