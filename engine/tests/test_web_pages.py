"""What the status page shows, and that it changes nothing and shows no other file."""

import html
import os
import re
import threading
import types

import pytest
from sisyphus import Job, Path, Task, cleaner, gs
from sisyphus import global_constants as gc
from sisyphus.graph import OutputPath, SISGraph
from sisyphus.reading.folder import JobFolder
from sisyphus.reading.runs import Run, runs
from sisyphus.web import timeline
from sisyphus.web.app import make_app

BAD = "<script>alert(1)</script>"


class Corpus(Job):
    def __init__(self, name, inputs=()):
        self.name = name
        self.inputs = inputs
        self.out = self.output_path("corpus.txt")
        self.out_binary = self.output_path("model.bin")
        self.out_count = self.output_var("count")
        self.out_folder = self.output_path("parts", directory=True)
        self.out_link = self.output_path("link")
        self.out_missing = self.output_path("missing")


class Small(Job):
    def __init__(self, number, before=None):
        self.number = number
        self.before = before
        self.out = self.output_path("out")


class Search(Job):
    def __init__(self, corpus, beam):
        self.corpus = corpus
        self.beam = beam
        self.out = self.output_path("words")

    def tasks(self):
        yield Task("part", args=[1, 2, 3], tries=2, rqmt={"cpu": 2, "mem": "512M", "time": "1:30"})
        yield Task("join")

    def part(self, number):
        pass

    join = part

    def info(self):
        return self.beam

    def completed_fraction(self):
        return 0.5


class Site:
    """A manager whose states are set by hand; `get` asks the page."""

    def __init__(self, folder):
        self.folder = folder
        self.states, self.refused, self.graph = {}, {}, SISGraph()
        configs = types.SimpleNamespace(loaded=["config/x.py"])
        self.app = make_app(types.SimpleNamespace(view=self, graph=self.graph, configs=configs))
        self.client = self.app.test_client()

    def add(self, job, state, **files):
        """``files``: name with ``__`` for dots -> text; a folder is made for them."""
        self.states[job] = state
        if files:
            job._sis_setup_directory()
        for name, text in files.items():
            with open(job._sis_path(name.replace("__", "."), abspath=True), "w") as f:
                f.write(text)
        return job

    def get(self, url, status=200, **query):
        answer = self.client.get(url, query_string=query)
        assert answer.status_code == status, (url, answer.text)
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))

    def page(self, job, kind="job", status=200, **query):
        return self.get(f"/{kind}/{job._sis_id()}", status, **query)


@pytest.fixture
def site(here):
    return Site(here)


@pytest.fixture
def corpus(site):
    job = site.add(Corpus("dev").add_alias("corpora/dev"), gc.STATE_FINISHED, log__run__1="counted\n", finished="")
    output = site.folder / job._sis_path("output")
    (output / "corpus.txt").write_text("one line\nanother\n" * 100)
    (output / "model.bin").write_bytes(b"\0\1\2" * 1000)
    (output / "count").write_text("5.25\n")
    (output / "parts" / "deep").mkdir()
    (output / "parts" / "deep" / "a.txt").write_text("part a\n")
    (output / "parts" / "half").write_bytes(b"caf\xc3")
    (site.folder / "secret").write_text("password\n")
    (output / "link").symlink_to(site.folder / "secret")
    (output / "parts" / "outside").symlink_to(site.folder / "secret")
    (output / "parts" / "inside").symlink_to(output / "count")
    return job


@pytest.fixture
def failed(site, corpus):
    submission = {"cpu": 2, "mem": 4.0, "engine_name": "long", "engine_info": "77", "ended": {1: "TIMEOUT"}}
    usage = {
        "current": {"cpu": 150.0, "rss": 1.0, "vms": 2.0},
        "max": {"cpu": 180.0, "rss": 1.25, "vms": 2.0},
        "host": "node7",
        "pid": 4711,
        "used_time": 0.5,
        "out_of_memory": False,
        "requested_resources": {"cpu": 2, "mem": 4.0},
    }
    job = Search(corpus.out, beam=12)
    job._sis_tasks()
    log = (
        "searching\nTraceback (most recent call last):\nValueError: utterance 17 is broken\n[..] INFO: Max resources\n"
    )
    return site.add(
        job,
        gc.STATE_ERROR,
        log__part__1="fine\n",
        finished__part__1="",
        log__part__2=log,
        log__part__2__error__01="the first try\n",
        error__part__2="",
        usage__part__2=repr(usage),
        usage_history__part__2="".join(f"{1000 + 60 * i} {100 + i} {i / 10}\n" for i in range(12)),
        submit_log__part=f"{([1, 2, 3], submission)}\n([2], {{",
    )


# the overview ------------------------------------------------------------------------------------------------------
def test_overview(site, corpus, failed):
    running = site.add(Search(corpus.out, "epoch 3"), gc.STATE_RUNNING, usage__part__1="{'used_time': 2.0}")
    refused = site.add(Search(corpus.out, 14), gc.STATE_ERROR)
    site.refused[refused] = "task asks for cpu=99"
    waiting = site.add(Corpus("late", [running.out]), gc.STATE_WAITING)
    site.graph.add_target(OutputPath("results/late", waiting.out))
    text = site.get("/")
    assert "1 of 5 jobs finished" in text and "config/x.py" in text
    for part in ("failed 2", "running 1", "waiting 1", "finished 1", "Targets 0 of 1 done", "results/late", "Kinds 2"):
        assert part in text, part
    assert "task part 2: error, ValueError: utterance 17 is broken" in text and "task asks for cpu=99" in text
    assert re.search(r"2:00:\d\d\s+50 %", text) and "epoch 3" in text
    positions = [text.index(job._sis_id()) for job in (failed, running, waiting, corpus)]
    assert positions == sorted(positions), "failed jobs come first, finished ones last"


def test_filter_by_words_of_id_alias_and_kind(site, corpus, failed):
    assert "corpora/dev" in site.get("/", q="DEV corpora") and failed._sis_id() not in site.get("/", q="DEV corpora")
    assert failed._sis_id() in site.get("/", q="search.") and "corpora/dev" not in site.get("/", q="search.")
    assert "No job has “nothing like it”" in site.get("/", q="nothing like it")
    assert failed._sis_id() not in site.get("/", state="finished")
    assert "there is no state odd" in site.get("/", 404, state="odd")


def test_progress_of_a_recipe_that_raises(site, corpus, monkeypatch):
    site.add(Search(corpus.out, 12), gc.STATE_RUNNING)
    monkeypatch.setattr(Search, "info", lambda self: 1 / 0)
    assert "failed: ZeroDivisionError" in site.get("/")


def test_before_the_manager_knows_its_jobs(site):
    assert "No jobs yet" in site.get("/")


def test_20000_jobs(site, monkeypatch):
    """Pages stay small, and jobs that wait or are finished cost no look at the disk."""
    jobs = [Small(number) for number in range(20_000)]
    site.states.update(dict.fromkeys(jobs[:9_000], gc.STATE_FINISHED))
    site.states.update(dict.fromkeys(jobs[9_000:], gc.STATE_WAITING))
    monkeypatch.setattr(os, "scandir", lambda *_: pytest.fail("the disk was read"))
    assert "9000 of 20000 jobs finished" in site.get("/")
    for query, rows in (
        ({}, 60),
        ({"state": "finished"}, 200),
        ({"state": "waiting", "page": 55}, 200),
        ({"q": "no such job"}, 0),
    ):
        text = site.client.get("/", query_string=query).text
        assert text.count('class="job ') == rows and len(text) < 100_000
    assert "page 55 of 55" in site.get("/", state="waiting", page=999)
    assert jobs[77]._sis_id() in site.get("/", q=jobs[77]._sis_id().lower())


# one job -----------------------------------------------------------------------------------------------------------
def test_failed_job(site, corpus, failed):
    user = site.add(Corpus("late", [failed.out]), gc.STATE_WAITING)
    text = site.page(failed)
    assert "task part 2: error, ValueError: utterance 17 is broken" in text and f"sis rerun {failed._sis_id()}" in text
    assert "log.part.2 part.1 part.2 part.2.error.01" in text and "searching" in text
    assert "part 1 error, 1 not started, 1 finished; asks for cpu 2, mem 0.5 GB, time 1.5 h" in text
    assert "2 error 30:00 1.25 GB 180 % node7, 4711" in text
    assert "1 submission ids 1, 2, 3 cpu 2, mem 4 GB long 77" in text, "half a line of the log is left out"
    assert "memory: now or last 1.1 GB, at most 1.1 GB, requested 4 GB" in text
    assert "CPU: now or last 111 %, at most 111 %, requested 200 %" in text
    assert "beam 12" in text and "Reads from 1 job corpora/dev" in text and f"Used by 1 job {user._sis_id()}" in text
    assert re.search(r"made in \S*test_web_pages\.py:\d+", text)
    assert "the first try" in site.page(failed, log="log.part.2.error.01")
    assert site.client.get(f"/log/{failed._sis_id()}?name=log.part.2").text.startswith("searching\nTraceback")


def test_job_without_a_folder(site):
    job = site.add(Corpus("new", [Path("nowhere/file")]), gc.STATE_WAITING)
    text = site.page(job)
    assert "(not made yet)" in text and "Known when the job is set up" in text
    assert "nowhere/file does not exist" in text


def test_outputs(site, corpus):
    text = site.page(corpus)
    for row in ("corpus.txt 1.7 KB text", "model.bin 2.9 KB binary", "count 5.25 5 B text", "missing not there"):
        assert row in text, row
    assert "parts/ folder" in text and "parts/deep/a.txt part a 7 B text" in text and "parts/inside 5.25" in text
    assert "parts/half caf\ufffd 4 B text" in text
    assert f"link link to {site.folder}/secret" in text and f"parts/outside link to {site.folder}/secret" in text
    answer = site.client.get(f"/output/{corpus._sis_id()}?name=corpus.txt")
    assert answer.mimetype == "text/plain" and answer.text.count("another") == 100
    assert site.client.get(f"/output/{corpus._sis_id()}?name=parts/deep/a.txt").text == "part a\n"
    site.page(corpus, "output", 415, name="model.bin")


def test_output_whose_name_is_no_text(site, corpus):
    with open(os.path.join(corpus.out_folder.get_path(), "a\udcff.txt"), "w") as f:
        f.write("part\n")
    assert "parts/a\\udcff.txt part 5 B text" in site.page(corpus)
    assert site.page(corpus, "output", name="parts/a\\udcff.txt") == "part "


@pytest.mark.parametrize("state", [gc.STATE_RETRY_ERROR, gc.STATE_INTERRUPTED_NOT_RESUMABLE])
def test_interrupted_job(site, corpus, state):
    log = "begun\n[2026-11-25 02:43:15] ERROR: the worker ended without a result (signal SIGKILL)\n"
    job = site.add(Search(corpus.out, 12), state, log__part__1=log)
    title = f"task part 1: {state.replace('_', ' ')}, the worker ended without a result (signal SIGKILL)"
    assert title in site.page(job) and title in site.get("/")


def test_outputs_that_were_not_written(site, corpus):
    files = {f"finished__part__{i}": "" for i in (1, 2, 3)}
    job = site.add(Search(corpus.out, 12), gc.STATE_ERROR, **files, finished__join__1="")
    assert "did not write the declared output: words" in site.page(job)


def test_packed_job(site, corpus, monkeypatch):
    """Logs come from the archive, also when the engine's log is the same file by another name."""
    os.link(corpus._sis_path("log.run.1", abspath=True), corpus._sis_path("engine", "job.1", abspath=True))
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    assert cleaner.clean_job(corpus) and not os.path.exists(corpus._sis_path("log.run.1", abspath=True))
    text = site.page(corpus)
    assert "log.run.1" in text and "counted" in text and "run 1 not started" not in text and "8 B" in text
    assert "engine/job.1" not in text
    assert site.client.get(f"/log/{corpus._sis_id()}?name=log.run.1").text == "counted\n"


# only reading ------------------------------------------------------------------------------------------------------
def tree(folder):
    found = {}
    for base, _, files in os.walk(folder):
        for name in files:
            full = os.path.join(base, name)
            found[full] = os.lstat(full).st_mtime_ns, os.lstat(full).st_size
    return found


def test_nothing_is_changed(site, corpus, failed):
    """A failed try would be moved aside, and a job that is done be marked, by the manager's way of looking."""
    os.unlink(failed._sis_path("log.part.2.error.01", abspath=True))
    done = site.add(Search(corpus.out, 5), gc.STATE_RUNNING, finished__part__1="", finished__join__1="")
    before = tree(site.folder)
    site.get("/")
    for job in (corpus, failed, done):
        site.page(job)
        site.page(job, "chain")
    site.page(failed, "log", name="log.part.2")
    assert tree(site.folder) == before
    for method in ("post", "put", "delete", "patch"):
        assert getattr(site.client, method)("/").status_code == 405


NAMES = [
    "../../../../secret",
    "log.part.2/../../../../../secret",
    "/etc/passwd",
    "job.save",
    "info",
    "usage.part.2",
    "engine/../job.save",
    "..",
    "",
    "log.part.2\0",
    "link",
    "parts/outside",
    "parts/../../../../../secret",
    "parts",
    "missing",
]


@pytest.mark.parametrize("name", NAMES)
def test_other_files_are_not_shown(site, corpus, failed, name):
    for job in (corpus, failed):
        site.page(job, "log", 404, name=name)
        site.page(job, "output", 404, name=name)
        assert "password" not in site.page(job, log=name)


def test_links_among_the_logs_are_not_followed(site, failed):
    os.unlink(failed._sis_path("log.part.1", abspath=True))
    os.symlink(site.folder / "secret", failed._sis_path("log.part.1", abspath=True))
    site.page(failed, "log", 404, name="log.part.1")
    assert "password" not in site.page(failed, log="log.part.1")


def test_ids_that_are_no_job(site, corpus):
    for job_id in ("nothing", "../secret", "%2e%2e/secret", corpus._sis_id() + "/output"):
        for kind in ("job", "chain", "log", "output"):
            assert site.client.get(f"/{kind}/{job_id}").status_code == 404
    other = Corpus("not of this run")
    assert "this run has no job" in site.page(other, status=404)


def test_everything_is_escaped(site, here):
    job = Search(BAD, BAD).add_alias(f"the/{BAD}").set_vis_name(BAD)
    site.add(job, gc.STATE_ERROR, log__part__1=BAD, error__part__1="", submit_log__part=f"{([1], {'cpu': BAD})}\n")
    site.refused[job] = BAD
    site.add(Search(BAD, BAD + "2"), gc.STATE_RUNNING)
    site.graph.add_target(OutputPath(BAD, job.out))
    urls = ["/", f"/?q={BAD}", f"/?state={BAD}", f"/job/{BAD}", f"/output/{job._sis_id()}?name={BAD}"]
    for url in [*urls, f"/job/{job._sis_id()}", f"/chain/{job._sis_id()}"]:
        answer = site.client.get(url)
        assert "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text, url
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    log = site.client.get(f"/log/{job._sis_id()}?name=log.part.1")
    assert log.mimetype == "text/plain" and log.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("127.1.2.3:80", 200),
        ("10.0.0.7:80", 403),
        ("[fe80::7]:80", 403),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_foreign_names_are_refused(site, host, status):
    """A browser that a hostile site's name leads here sends that name."""
    assert site.client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("listens", "host", "known"),
    [
        ("10.0.0.7", "10.0.0.7:80", True),
        ("10.0.0.7", "10.0.0.8:80", False),
        ("fe80::7", "[FE80:0::7]:80", True),
        ("0.0.0.0", "10.0.0.8:80", True),
        ("::", "[fe80::8]:80", True),
        ("0.0.0.0", "evil.example", False),
    ],
)
def test_addresses_are_known_where_the_page_was_asked_for(listens, host, known):
    answer = make_app(None, listens).test_client().get("/no/such/page", headers={"Host": host})
    assert answer.status_code == (404 if known else 403)


def test_states_change_while_a_page_is_made(site, corpus):
    jobs = [Small(number) for number in range(300)]
    ended = threading.Event()

    def manage():
        while not ended.is_set():
            site.states.update(dict.fromkeys(jobs, gc.STATE_WAITING))
            for job in jobs:
                del site.states[job]

    thread = threading.Thread(target=manage)
    thread.start()
    try:
        for _ in range(30):
            site.get("/")
            site.page(corpus)
    finally:
        ended.set()
        thread.join()


# the chain ---------------------------------------------------------------------------------------------------------
def test_chain(site, corpus, failed):
    user = site.add(Corpus("late", [failed.out]), gc.STATE_WAITING)
    site.add(Corpus("apart"), gc.STATE_RUNNING)
    page = site.client.get(f"/chain/{failed._sis_id()}").text
    drawn = re.findall(r'<a href="/job/(\S+)" class="box ([^"]*)"', page)
    assert sorted(drawn) == sorted(
        [(failed._sis_id(), "failed here"), (corpus._sis_id(), "finished"), (user._sis_id(), "waiting")]
    )
    assert page.count('class="line"') == 2
    assert "Made from 1 job, used by 1 job." in site.page(failed, "chain")


def test_long_chain_is_cut_around_the_job(site):
    jobs = [site.add(Small(0), gc.STATE_FINISHED)]
    for number in range(1, 1200):
        jobs.append(site.add(Small(number, jobs[-1].out), gc.STATE_WAITING))
    text = site.page(jobs[600], "chain")
    assert "Made from 600 jobs, used by 599 jobs; the 200 nearest are drawn, 1000 are not" in text
    assert jobs[502]._sis_id() in text and jobs[698]._sis_id() in text


# where the time goes -----------------------------------------------------------------------------------------------
@pytest.fixture
def searched(site, corpus):
    """A job whose two ids ran for 60 and 30 seconds, 10 and 70 seconds after their submission."""
    usage = {"host": "node7", "pid": 1, "requested_resources": {"cpu": 2, "gpu": 1}}
    job = site.add(
        Search(corpus.out, 7).add_alias("search/dev"),
        gc.STATE_FINISHED,
        submit_log__part="([1, 2], {})\n",
        usage__part__1=repr({**usage, "used_time": 60 / 3600}),
        usage__part__2=repr({**usage, "used_time": 30 / 3600}),
        usage__part__3="{'used_time': 'half a fi",
        finished="",
    )
    for name, when in {"submit_log.part": 5000, "usage.part.1": 5070, "usage.part.2": 5100}.items():
        os.utime(job._sis_path(name, abspath=True), (when, when))
    return job


@pytest.mark.parametrize("packed", [False, True])
def test_when_tasks_ran(searched, packed, monkeypatch):
    monkeypatch.setattr(gs, "WAIT_PERIOD_JOB_CLEANUP", 0)
    if packed:
        assert cleaner.clean_job(searched)
    folder = JobFolder(searched._sis_path(abspath=True))
    assert [entry.packed for name, entry in folder.entries.items() if name.startswith("usage")] == [packed] * 3
    assert runs(folder) == [("part", 1, 5010, 5070, 2, 1, 10), ("part", 2, 5070, 5100, 2, 1, 70)]


def test_a_task_that_runs_has_no_end_yet(site, corpus):
    job = site.add(
        Search(corpus.out, 7), gc.STATE_RUNNING,
        usage__part__1="{'used_time': 0.01}", finished__part__1="", usage__part__2="{'used_time': 0.01}",
        submit_log__part="([1, 2], {})\n",
    )  # fmt: skip
    for name, when in {"usage.part.1": 5000, "usage.part.2": 5000, "submit_log.part": 4990}.items():
        os.utime(job._sis_path(name, abspath=True), (when, when))
    ended, running = runs(JobFolder(job._sis_path(abspath=True)), 9000)
    assert (ended.end, running.begin, running.end) == (5000, 4964, 9000)
    assert running.waited is None, "it was running when the task was submitted last, for another id"


def test_timeline(site, searched):
    text = site.client.get("/timeline").text
    assert '<a href="/timeline">where the time goes</a>' in site.client.get("/").text
    assert text.count(f'<a href="/job/{searched._sis_id()}">') == 2
    assert "1:00 on 2 cores and 1 GPU, waited 10.0 s" in text and "3:00" in text and "100.0 %" in text
    assert "Nothing has run yet with “other” in its id" in site.get("/timeline", q="other")
    assert "search/dev" in site.client.get("/timeline?q=SEARCH").text


def test_timeline_of_many_jobs(site, monkeypatch):
    """A request reads few folders, and those of finished jobs once; names are escaped."""
    looks = []
    monkeypatch.setattr(timeline, "FOLDERS", 40)
    monkeypatch.setattr(timeline, "JobFolder", looks.append)
    monkeypatch.setattr(timeline, "runs", lambda folder, until=None: [Run("run", 1, 0, 9, 1, 0, until)])
    jobs = [Small(number) for number in range(150)]
    site.states.update(dict.fromkeys(jobs[:100], gc.STATE_FINISHED))
    site.states.update(dict.fromkeys(jobs[100:], gc.STATE_WAITING))
    site.states[jobs[7].add_alias(BAD)] = gc.STATE_RUNNING
    for known, left in ((40, "59 more jobs"), (80, "19 more jobs"), (99, None), (99, None)):
        looks.clear()
        text = site.client.get("/timeline").text
        assert f">{known + 1}</text>" in text
        assert f"{left} not looked at" in text if left else "not looked" not in text
        assert len(set(looks)) == len(looks) <= 41
    assert looks == [jobs[7]._sis_path(abspath=True)] and "<script>alert" not in text and "&lt;script&gt;" in text
    site.states.update(dict.fromkeys(jobs[100:], gc.STATE_RUNNABLE))
    text = site.client.get("/timeline").text
    assert "11 unfinished jobs not shown" in text and "not looked" not in text
