"""What scripts and consoles ask of a graph: its members, comparisons, exports and reports."""

import ast
import asyncio
import logging
import os

import pytest
from sisyphus import Job, gs, http_server, logging_format, manager, tk
from sisyphus import block as blocks
from sisyphus import graph as graph_module
from sisyphus.async_workflow import AsyncConfigs
from sisyphus.engine import EngineBase
from sisyphus.loader import ConfigManager
from sisyphus.run import export
from sisyphus.run import manager as run_manager


class Step(Job):
    def __init__(self, name, inputs=(), option=None):
        self.name = name
        self.inputs = inputs
        self.option = option
        self.out = self.output_path("out")

    def run(self):
        with open(self.out, "w") as f:
            f.write(f"{self.name} {tk.running_in_worker()}")


class Environment(Job):
    def __init__(self):
        self.out = self.output_var("out")

    def run(self):
        self.out.set([os.environ.get(name) for name in ("MINE", "OF_THE_SHELL")])


class Grows(Step):
    def update(self):
        self.add_input(Step("asked for").out)


@pytest.fixture
def graph(here, monkeypatch):
    """An empty graph, which ``tk`` works on."""
    made = graph_module.SISGraph()
    for module in (tk, graph_module, export):
        monkeypatch.setattr(module, "sis_graph" if module is not graph_module else "graph", made)
    return made


@pytest.fixture
def diamond(graph):
    """``{name: job}`` of ``first``, which ``left`` and ``right`` read, and ``last``, which reads both."""
    first = Step("first")
    left, right = Step("left", [first.out]), Step("right", [first.out])
    last = Step("last", {"sides": [left.out, right.out]})
    tk.register_output("end/last", last.out)
    return {job.name: job for job in (first, left, right, last)}


def content(name):
    with open(name) as f:
        return f.read()


def test_all_nodes_are_visited_once(graph, diamond):
    ids = {job.job_id() for job in diamond.values()}
    visited = []
    assert graph.for_all_nodes(visited.append) == ids
    assert visited[0] is diamond["last"] and len(visited) == 4 and set(graph.jobs()) == set(visited)
    assert graph.for_all_nodes(lambda job: job is diamond["last"], bottom_up=False) == {
        diamond[name].job_id() for name in ("last", "left", "right")
    }


def test_bottom_up_every_job_follows_its_inputs(graph, diamond):
    order = []
    graph.for_all_nodes(lambda job: order.append(job) or False, [diamond["last"]], bottom_up=True)
    assert order[0] is diamond["first"] and order[-1] is diamond["last"] and len(order) == 4


def test_jobs_sorted_goes_on_where_it_can(graph):
    """Depth first: what has become startable comes before other jobs."""
    a, b = sorted([Step("a"), Step("b")])
    after_a = Step("after", [a.out])
    both = Step("both", [a.out, b.out])
    tk.register_output("after", after_a.out)
    tk.register_output("both", both.out)
    assert list(graph.jobs_sorted()) == [a, after_a, b, both]


def test_jobs_ask_for_more_inputs_only_on_request(graph):
    tk.register_output("out", Grows("grows").out)
    assert len(graph.jobs(update_graph=False)) == 1
    graph.update_nodes()
    assert len(graph.jobs(update_graph=False)) == 2 and len(graph.id_to_job_dict()) == 2


def test_jobs_are_found_by_their_ids(graph, diamond):
    assert graph.id_to_job_dict() == {job.job_id(): job for job in diamond.values()}
    assert graph.job_by_id(diamond["left"].job_id()) is diamond["left"] and graph.job_by_id("no/such") is None
    assert tk.graph.graph is graph


def test_active_targets_are_those_that_are_not_done(graph, diamond):
    tk.register_output("first", diamond["first"].out)
    assert [target.name for target in graph.active_targets] == ["end/last", "first"]
    tk.run(diamond["first"].out, quiet=True)
    for target in graph.targets:
        target.update_requirements()
    assert graph.active_targets == [graph.targets_dict["end/last"]]


def test_jobs_by_status(graph, diamond):
    source = tk.Path("data/in")
    tk.register_output("other", Step("other", [source]).out)
    tk.run(diamond["first"].out, quiet=True)
    found = graph.get_jobs_by_status()
    assert {state: len(members) for state, members in found.items()} == {
        "waiting": 2,
        "runnable": 2,
        "finished": 1,
        "input_missing": 1,
    }
    assert found["input_missing"] == {source.get_path()} and found["queue"] == set()
    assert graph.get_jobs_by_status([diamond["left"]], skip_finished=True) == {"runnable": {diamond["left"]}}


def test_tasks_of_a_script_see_a_worker(here):
    job = Step("script")
    assert not tk.running_in_worker()
    tk.run(job.out, quiet=True)
    assert not tk.running_in_worker() and content(job.out) == "script True"


def test_tasks_of_a_script_have_the_environment_of_their_job(here, monkeypatch):
    monkeypatch.setenv("OF_THE_SHELL", "1")
    job = Environment().set_env("MINE", "yes")
    tk.run(job.out, quiet=True)
    assert job.out.get() == ["yes", None] and os.environ["OF_THE_SHELL"] == "1" and "MINE" not in os.environ


def test_blocks_of_async_configs_do_not_mix(here, graph):
    seen = []

    async def config(name):
        with tk.block(name):
            await tk.async_run(Step(name).out)
            seen.append((name, [block.name for block in blocks.active_blocks]))

    configs = AsyncConfigs()
    for name in ("one", "two"):
        configs.add(name, config(name))
        assert not blocks.active_blocks
    tk.run([Step("two").out, Step("one").out], quiet=True)
    configs.advance()
    assert sorted(seen) == [("one", ["one"]), ("two", ["two"])] and not configs.waiting()


def test_async_configs_wait_for_more_than_jobs(here):
    async def config(depth):
        await asyncio.sleep(0)
        return (await tk.async_gather(config(depth - 1)))[0] if depth else None

    configs = AsyncConfigs()
    configs.add("deep", config(8))
    assert not configs.waiting()


def test_waits_that_were_given_up(here):
    job = Step("awaited twice")

    async def config():
        given_up = asyncio.ensure_future(tk.async_run(job.out))
        await asyncio.sleep(0)
        given_up.cancel()
        await tk.async_run(job.out)

    configs = AsyncConfigs()
    configs.add("c", config())
    tk.run(job.out, quiet=True)
    configs.advance()
    assert not configs.waiting()


def test_errors_while_configs_wait_are_theirs(here, caplog):
    job = Step("awaited")

    def fails_later(path):
        if job._sis_finished():
            raise OSError("stale handle")

    async def cancelled():
        await tk.async_run(job.out)
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    configs = AsyncConfigs()
    configs.add("asks", tk.async_run(tk.Path("x", available=fails_later)))
    configs.add("cancelled", cancelled())
    tk.run(job.out, quiet=True)
    configs.advance()
    assert configs.waiting() == ["asks", "cancelled"] and "OSError: stale handle" in caplog.text
    assert "config asks failed" in caplog.text and "config cancelled failed" in caplog.text


def test_config_goes_on_when_its_job_ends_during_a_cycle(here, monkeypatch):
    """After the look at the configs, and before the last look at the jobs."""
    monkeypatch.setattr(run_manager, "cached_engine", EngineBase)
    configs, ended = ConfigManager(), []
    made = run_manager.Manager(graph_module.SISGraph(), configs)
    refresh = made.view.refresh
    monkeypatch.setattr(made.view, "refresh", lambda everything=False: refresh(everything) or ended.append(everything))
    configs.add_coroutine("c", tk.async_run(tk.Path("x", available=lambda path: any(ended))))
    assert made._cycle() and made._event.is_set() and not configs.waiting_configs()
    assert not made._cycle()


# comparison and export ---------------------------------------------------------------------------------------------
def test_differences_of_two_graphs(here):
    x, y = (Step("end", [Step("middle", option={"lr": lr, "bs": 1, "epochs": 1}).out]) for lr in (1, 2))
    (trace,) = tk.compare_graph(x, y)
    assert trace[0] == (x, y) and trace[-1] == (1, 2)
    assert list(tk.compare_graph(x, x)) == []


@pytest.mark.parametrize(
    ("x", "y", "end"),
    [
        ([1, 2], [1], (2, 1)),
        ({"a": 1}, {"b": 1}, (None, "b")),
        (1, 1.0, (int, float)),
        (tk.Path("a"), tk.Path("b"), ("a", "b")),
        ({1, 2}, {1, 3}, (2, 3)),
    ],
)
def test_kinds_of_differences(x, y, end):
    assert list(tk.compare_graph(x, y))[-1][-1] == end


def test_a_long_chain_is_compared(here):
    x, y = Step(0), Step(1)
    for number in range(3000):
        x, y = Step(number, [x.out]), Step(number, [y.out])
    (trace,) = tk.compare_graph(x, y)
    assert trace[-1] == (0, 1)


def test_exported_graph_leads_to_every_job(graph, diamond, caplog):
    only_in_a_set = Step("set", {Step("member").out, diamond["first"].out})
    tk.register_output("set", only_in_a_set.out)
    tk.export_graph("graph.txt")
    lines = [line.split(" ", 1) for line in content("graph.txt").splitlines()]
    steps = {job_id: ast.literal_eval(text) for job_id, text in lines}
    assert steps[diamond["right"].job_id()] == ["end/last", "creator", "inputs", "sides", 1, "creator"]
    assert len(steps) == len(graph.jobs()) - 1 and "only a set" in caplog.text and "member" not in steps


# outputs, reports, aliases -----------------------------------------------------------------------------------------
def test_exported_output(here, graph, monkeypatch):
    monkeypatch.setattr(gs, "ALIAS_AND_OUTPUT_SUBDIR", "sub")
    job = Step("exported")
    tk.register_output("name", job.out, export_graph=True)
    assert tk.load_file("output/sub/.name.sis").get_path() == job.out.get_path()


def test_report_is_returned_and_lies_where_upstream_puts_it(here, graph, monkeypatch):
    monkeypatch.setattr(gs, "ALIAS_AND_OUTPUT_SUBDIR", "sub/")
    report = tk.register_report("numbers", lambda: "first", required=Step("r").out)
    assert graph.targets_dict["sub/numbers"] is report
    report.update_requirements()
    assert content("output/sub/numbers") == "first"
    report.update_values({"later": 1})
    report.update_requirements()
    assert content("output/sub/numbers") == "{'later': 1}\n"


def test_aliases_are_made_on_request(here):
    job = Step("named").add_alias("a/name")
    manager.create_aliases([job, Step("nameless")])
    assert (here / "alias" / "a" / "name").readlink() == here / job._sis_path()


# upstream's small modules ------------------------------------------------------------------------------------------
def test_values_as_html(here):
    class WithHtml:
        def html(self):
            return "<b>mine</b>"

    job = Step("html")
    assert http_server.object_to_html({"a<": [1, WithHtml()]}) == (
        "<table><tr><td>&#x27;a&lt;&#x27;</td><td><table><tr><td>1</td></tr><tr><td><b>mine</b></td></tr></table></td>"
        "</tr></table>"
    )
    assert f'<a href="/job/{job.job_id()}">' in http_server.object_to_html(job.out)
    assert http_server.object_to_html(tk.Path("data/<in>")) == "data/&lt;in&gt;"
    assert http_server.object_to_html({2, 1}) == "<table><tr><td>1</td></tr><tr><td>2</td></tr></table>"


class Screen(list):
    write, flush = list.append, lambda self: None

    def __init__(self, terminal):
        self.isatty = lambda: terminal


def test_log_lines_have_colours_on_terminals_only(monkeypatch):
    monkeypatch.setattr(logging.StreamHandler, "format", logging.Handler.format, raising=False)
    logging_format.add_coloring_to_logging()
    logging_format.add_coloring_to_logging()
    record = logging.makeLogRecord({"levelno": logging.WARNING, "msg": "careful"})
    screen, file = Screen(True), Screen(False)
    for stream in (screen, file):
        logging.StreamHandler(stream).emit(record)
    assert screen == ["\x1b[33mcareful\x1b[0m\n"] and file == ["careful\n"]
