"""Jobs, values and graphs inside one process."""

import gzip
import os
import pickle
import threading

import pytest
from patience import PATIENCE
from sisyphus import Job, Path, Task, cleaner, gs, tk, tools
from sisyphus import job as job_module
from sisyphus.base.refusal import ConfigError
from sisyphus.base.words import tail
from sisyphus.graph import OutputPath, SISGraph
from sisyphus.job_path import Variable, VariableNotSet
from sisyphus.jobs.evaluation import one_evaluation
from sisyphus.loader import ConfigManager
from sisyphus.localengine import LocalEngine
from sisyphus.run.graph_states import GraphStates


class Link(Job):
    def __init__(self, number, before=None):
        self.number = number
        self.before = before
        self.out = self.output_path("out")

    def run(self):
        with open(self.out, "w") as f:
            f.write(str(self.number))


class Values(Job):
    def __init__(self):
        self.number = self.output_var("number")
        self.table = self.output_var("table", pickle=True)

    def run(self):
        self.not_seen_later = 1
        self.number.set(float("nan"))
        self.table.set({1, 2})


class Reads(Job):
    def __init__(self, text):
        self.text = text
        self.out = self.output_var("out")

    def run(self):
        self.out.set(self.text.get())


class Grows(Job):
    """Asks for a second input when the first is there."""

    def __init__(self, first):
        self.first = first
        self.out = self.output_path("out")

    def update(self):
        self.add_input(Link(99).out)

    def run(self):
        os.link(Link(99).out, self.out)


class Bad(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def run(self):
        self.sh("echo before; false")


class Two(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def tasks(self):
        yield Task("first", tries=2)
        yield Task("second")

    def first(self):
        if not os.path.exists("tried"):
            open("tried", "w").close()
            raise RuntimeError("once")
        self.carried = 1

    def second(self):
        assert not hasattr(self, "carried"), "tasks run in processes of their own and share nothing but files"
        os.rename("tried", self.out)


def chain(n):
    out = None
    for i in range(n):
        out = Link(i, out).out
    return out


def view_of(*paths):
    graph = SISGraph()
    for i, path in enumerate(paths):
        graph.add_target(OutputPath(str(i), path))
    return GraphStates(graph, LocalEngine())


def test_chain_of_5000(here):
    """Made, hashed, stored, listed and looked at without recursion, also if all folders exist unfinished."""
    last = chain(5000)
    view = view_of(last)
    view.refresh()
    assert len(view.in_state("waiting")) == 4999
    order = view.graph.walk()
    assert [job.number for job in order] == list(range(5000))
    assert len(pickle.dumps(last.creator)) < 5000, "a stored job does not carry its ancestors"
    order[-1]._sis_setup_directory()
    for job in order:
        os.makedirs(job._sis_path(), exist_ok=True)
    view.refresh(everything=True)
    assert len(view.in_state("runnable")) == 1
    for job in order[:-1]:
        open(job._sis_path() + "/finished.run.1", "w").close()
        os.makedirs(job._sis_path() + "/output")
        open(job.out, "w").close()
    assert not last.creator._sis_finished()
    assert os.path.exists(order[0]._sis_path() + "/finished")
    view.refresh()
    assert len(view.in_state("finished")) == 4999 and view.in_state("runnable") == [last.creator]


def test_run_in_process(here):
    last = chain(3)
    tk.run(last, quiet=True)
    with open(last) as f:
        assert f.read() == "2"
    assert os.path.exists("work/" + last.creator.job_id() + "/finished")


def test_run_raises_with_the_log(here):
    with pytest.raises(tk.BlockedWorkflow, match="before") as info:
        tk.run([Bad().out], quiet=True)
    assert "returned non-zero exit status 1" in str(info.value) and "Bad" in str(info.value)


def test_run_tries_again_and_tasks_share_only_files(here):
    job = Two()
    tk.run(job.out, quiet=True)
    folder = job._sis_path()
    assert os.path.exists(folder + "/log.first.1") and os.path.exists(folder + "/log.first.1.error.01")


def test_run_names_a_missing_input(here):
    with pytest.raises(tk.BlockedWorkflow, match="no/such/file"):
        tk.run(Link(1, Path("no/such/file")).out, quiet=True)


def test_update_adds_inputs(here):
    job = Grows(Link(1).out)
    view = view_of(job.out)
    view.refresh()
    assert len(view.states) == 2
    tk.run(Link(1).out, quiet=True)
    view.refresh()
    assert sorted(j.number for j in view.states if isinstance(j, Link)) == [1, 99]
    assert view.states[job] == "waiting"
    tk.run(job.out, quiet=True)


def test_inputs_are_found_in_containers_of_all_kinds(here):
    class Paths(list):
        pass

    paths = [Path(name) for name in "abcd"]
    found = tools.extract_paths({"x": Paths(paths[:1]), "y": (paths[1], {"z": frozenset(paths[2:])})})
    assert found == set(paths)


def test_states_are_asked_in_several_threads(here):
    """The settings' hook and the status page may; what one of them has seen is not kept for another one's time."""
    job, ask, asked, go = Link(1), [], threading.Event(), threading.Event()

    def in_thread():
        with one_evaluation():
            ask.append(job._sis_finished())
            asked.set()
            go.wait(PATIENCE)

    thread = threading.Thread(target=in_thread)
    with one_evaluation():
        thread.start()
        asked.wait(PATIENCE)
    go.set()
    thread.join()
    os.makedirs(job._sis_path() + "/output")
    open(job._sis_path() + "/finished", "w").close()
    assert ask == [False] and job._sis_finished()


def test_variables(here):
    job = Values()
    with pytest.raises(VariableNotSet):
        Variable("nowhere").get()
    assert Variable("nowhere", backup=3).get() == 3
    assert job.number.get() is None, "outputs of jobs have the backup None"
    tk.run(job.number, quiet=True)
    assert not hasattr(job, "not_seen_later")
    assert job.number.get() != job.number.get()
    with open(job.number.get_path()) as f:
        assert f.read() == "nan\n"
    assert job.table.get() == {1, 2}
    with pytest.raises(TypeError, match="pickle=True"):
        job.number.set(object())
    assert job.number.get() != job.number.get(), "the stored value survives a failed set"
    with pytest.raises((AttributeError, pickle.PicklingError)):
        job.table.set(lambda: 1)
    assert job.table.get() == {1, 2} and len(os.listdir(os.path.dirname(job.table.get_path()))) == 2


@pytest.mark.parametrize("pickled", [False, True])
def test_variable_whose_file_was_cut(here, pickled):
    variable = Variable("cut", pickle=pickled)
    variable.set([1, 2])
    with open("cut", "rb+") as f:
        f.truncate(4 * pickled)
    with pytest.raises(ValueError, match=r"variable /\S+/cut cannot be read \((SyntaxError|EOFError): .*sis rerun"):
        variable.get()


def test_delayed_values_as_arguments(here):
    first = Values()
    job = Reads(tk.Delayed("{}/{k}").format(first.table.function(len) * 3 + 1, k="x"))
    assert first.table in job._sis_inputs
    tk.run(job.out, quiet=True)
    assert job.out.get() == "7/x"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (tk.Delayed(7) // 2 - 1, 2),
        (2 ** (10 - tk.Delayed(7)), 8),
        (pow(tk.Delayed(7), 2, 5), 4),
        (round(tk.Delayed(7.26), 1), 7.3),
        (tk.Delayed([1, 2, 3])[1:], [2, 3]),
        (tk.Delayed("aXb").replace("X", "_") + "!", "a_b!"),
        (tk.Delayed(1.5).rformat("{:.2f}"), "1.50"),
        (tk.Delayed(len)([1, 2]), 2),
        (Variable("unset").fallback(4), 4),
    ],
)
def test_delayed_operations(expression, value):
    assert expression.get() == value and expression.is_set()


def test_unset_values_are_not_set(here):
    assert not (Variable("unset") + 1).is_set()
    assert not tk.Delayed("{}").format(Variable("unset")).is_set()
    with pytest.raises(TypeError):
        list(tk.Delayed([1]))


def test_loaded_job_equals_the_stored_one(here):
    job = Link(5, Link(4).out)
    job._sis_setup_directory()
    job_module.created_jobs.clear()
    loaded = tk.load_job(job._sis_path())
    assert loaded == job and loaded is not job
    assert loaded.out.creator is None and loaded.out.get_path() == job.out.get_path()


class Names(pickle.Unpickler):
    """Notes the names of the engine that a pickle needs."""

    def __init__(self, file):
        super().__init__(file)
        self.found = set()

    def find_class(self, module, name):
        if module.partition(".")[0] == "sisyphus":
            self.found.add((module, name))
        return super().find_class(module, name)


def test_stored_jobs_name_modules_that_must_stay(here):
    """Finished work folders and upstream hold these names: a module that moved would make them unreadable."""
    made = Values()
    values = [made.number + 1, made.table[0], tk.Delayed("{}").format(made.number), made.number.fallback(tk.NoBackup)]
    job = Link(values, [Path("a"), made.number.function(len)])
    job._sis_kwargs["hook"] = gs.update_engine_rqmt
    job._sis_setup_directory()
    with gzip.open(job._sis_path("job.save", abspath=True)) as f:
        names = Names(f)
        names.load()
    delayed = {"DelayedAdd", "DelayedGetItem", "DelayedFormat", "Delayed", "DelayedFallback", "DelayedFunction"}
    assert names.found == {
        ("sisyphus.job_path", "Path"),
        ("sisyphus.job_path", "Variable"),
        ("sisyphus.job_path", "NoBackup"),
        ("sisyphus.tools", "EnvironmentModifier"),
        ("sisyphus.global_settings", "update_engine_rqmt"),
        *(("sisyphus.delayed_ops", name) for name in delayed),
    }


def test_clean_up_that_was_killed_is_completed(here, monkeypatch):
    job = Link(1)
    tk.run(job.out, quiet=True)
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)

    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cleaner, "_remove", killed)
        cleaner.clean_job(job)
    folder = job._sis_path()
    assert job_module.job_finished(folder) and os.path.exists(folder + "/log.run.1")
    assert cleaner.clean_job(job)
    assert sorted(os.listdir(folder)) == ["finished.tar.gz", "info", "input", "output"]
    assert tk.load_job(folder) == job


def test_report_is_kept_up_to_date(here):
    calls = []

    def text():
        calls.append(1)
        return f"call {len(calls)}"

    report = tk.graph.OutputReport("counts", text)
    report.update_requirements()
    report.update_requirements()
    assert len(calls) == 1 and report.is_done()
    report.update_requirements(force=True)
    with open("output/counts") as f:
        assert f.read() == "call 2"
    waiting = tk.graph.OutputReport("number", lambda: Values().number.get() + 1, required=Values().number)
    assert not waiting.update_requirements(), "the value is not there, which is no error"
    tk.run(Values().number, quiet=True)
    assert waiting.update_requirements()
    with open("output/number") as f:
        assert f.read() == "nan"


def test_report_of_one_value(here):
    """Every delayed value can be called, which only makes another one."""
    number = Values().number
    tk.run(number, quiet=True)
    for value, text in ((number, repr(number)), (number.rformat("{} %"), "nan %")):
        assert tk.graph.OutputReport("value", value).update_requirements()
        with open("output/value") as f:
            assert f.read() == f"{text}\n"


def test_report_that_does_not_say_what_it_needs(here):
    """It is tried again as long as the run goes on; only the last try is an error."""
    values = {}
    report = tk.graph.OutputReport("wer", lambda: values["wer"], update_frequency=-1)
    assert not report.update_requirements()
    with pytest.raises(KeyError):
        report.update_requirements(force=True)
    values["wer"] = 7.1
    assert report.update_requirements()


def test_one_output_name_in_two_folders(here, monkeypatch, caplog):
    graph = SISGraph()
    for number, folder in enumerate("aba"):
        monkeypatch.setattr(gs, "ALIAS_AND_OUTPUT_SUBDIR", folder)
        graph.add_target(OutputPath("data", Path("in")))
        graph.add_target(OutputPath("wer", Link(number % 2).out))
    links = [target.link_names() for target in graph.targets]
    assert links == [[f"output/{name}"] for name in ("a/data", "a/wer", "b/data", "b/wer")] and not caplog.text


def test_second_output_of_one_name(here, caplog):
    graph = SISGraph()
    graph.add_target(OutputPath("same", Link(1).out))
    graph.add_target(OutputPath("same", Link(1).out))
    assert len(graph.targets) == 1
    graph.add_target(OutputPath("same", Link(2).out))
    assert "two different outputs are registered as same" in caplog.text


def test_register_output_wants_a_path():
    import pathlib

    with pytest.raises(TypeError, match=r"use tk\.Path"):
        tk.register_output("x", pathlib.Path("y"))


def test_import_of_a_finished_job(here, tmp_path):
    tk.run(Link(1).out, quiet=True)
    os.rename("work", "other")
    os.mkdir("work")
    job_module.created_jobs.clear()
    job = Link(1)
    tk.sis_graph.add_target(target := OutputPath("imported", job.out))
    try:
        for mode in ("dryrun", "hardlink"):
            tk.import_work_directory("other", mode=mode)
            assert job._sis_finished() == (mode == "hardlink")
    finally:
        tk.sis_graph.remove_targets([target])
    with open(job.out) as f:
        assert f.read() == "1"


def test_settings_from_the_environment(monkeypatch):
    from sisyphus import global_settings

    monkeypatch.setattr(gs, "PRINT_ERROR_LINES", 40)
    monkeypatch.setitem(os.environ, "SIS_PRINT_ERROR_LINES", "7")
    monkeypatch.setattr(gs, "IMPORT_PATHS", gs.IMPORT_PATHS)
    global_settings.update_global_settings_from_env()
    assert gs.PRINT_ERROR_LINES == 7 and gs.ENVIRONMENT_SETTINGS["SIS_PRINT_ERROR_LINES"] == "7"
    assert "\nPRINT_ERROR_LINES = 7\n" in gs.GLOBAL_SETTINGS_FILE_CONTENT


def test_small_tools(here):
    path = here / "new" / "x"
    tk.dump({"a": 1}, str(path))
    assert tk.zipped(path) and tk.load_file(path) == {"a": 1}
    path.write_bytes(pickle.dumps([2]))
    assert tk.load_file(path) == [2]
    assert tk.bundle_to_str({Path("/b"), Path("/a")}) == "/a /b" and tk.bundle_to_str(["y", "x"]) == "y x"
    assert {"Job", "cleaner", "async_context", "async_gather", "async_run"} <= set(dir(tk))
    path.write_text("one\ntwo\n")
    assert [tail(path, lines) for lines in (0, 1, 5)] == [[], ["two"], ["one", "two"]]


def test_config_of_another_folder(here):
    (here / "alone.py").touch()
    with pytest.raises(ConfigError, match=r"alone\.py is in none of the IMPORT_PATHS .* run sis in the setup folder"):
        ConfigManager().load_config_file("alone.py")


def test_find_in_the_graph(here):
    first = Link(1, Path("data/in.txt"))
    second, graph = Link(2, first.out), SISGraph()
    graph.add_target(OutputPath("x", second.out))
    assert graph.find(first._sis_path()) == graph.find(first._sis_path(), mode="job") + [first.out]
    assert graph.find("data/in", mode="path") == [Path("data/in.txt")]
    assert set(graph.find("output/out", mode="path")) == {first.out, second.out}
