"""What jobs ask for: every job of every config obeys the settings, and no id depends on that."""

import importlib
from pathlib import Path

import pytest
from sisyphus import gs, toolkit
from sisyphus.graph import SISGraph

from ctc_kd.experiments.demo import DEMO, demo_corpus
from ctc_kd.experiments.requests import register_outputs

CONFIGS = {
    "demo": lambda config: config.py(),
    "demo_full": lambda config: config.py(),
    "demo_labels": lambda config: config.py(),
    "demo_teacher": lambda config: config.py(),
    "distil": lambda config: config.demo(),
    "findings": lambda config: (
        *(config.prior([1.0]), config.normalisation([0.25])),
        *(config.untranscribed([1.0], [42]), config.silence([1.0], seeds=[42])),
    ),
    "k2d": lambda config: (config.py("recordings"), config.demo()),
    "kd_blank": lambda config: (config.py(), config.paper()),
    "kd_untranscribed": lambda config: (config.py(), config.demo(), config.py("/data/podcasts")),
    "mini_librispeech": lambda config: (config.py(), config.cmudict(), config.folder("/data/part", "/data/encoder")),
    "self_kd": lambda config: (config.py(), config.demo(), config.demo_from_scratch()),
}


@pytest.fixture
def jobs_of(created, tmp_path, monkeypatch):
    """``jobs_of(declare)``: by id the jobs that the outputs need which ``declare`` registers."""
    monkeypatch.setattr(gs, "BASE_DIR", str(tmp_path))
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "first.wav").write_bytes(b"only its name is read")

    def run(declare):
        created.clear()
        monkeypatch.setattr(toolkit, "sis_graph", SISGraph())
        declare()
        return {job.job_id(): job for job in toolkit.sis_graph.jobs()}

    return run


def test_every_config_is_tried():
    (folder,) = importlib.import_module("config").__path__
    assert {path.stem for path in Path(folder).glob("*.py")} - {"__init__"} == set(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_job_obeys_the_settings(monkeypatch, jobs_of, name):
    declare = lambda: CONFIGS[name](importlib.import_module(f"config.{name}"))
    plain = set(jobs_of(declare))
    requests = {"*": {"mem": 77}, "DownloadJob": {"engine": "short"}, "UnpackJob": {"time": 3}}
    monkeypatch.setattr(gs, "REQUESTS", requests, raising=False)
    jobs = jobs_of(declare)
    assert set(jobs) == plain
    assert {task.rqmt()["mem"] for job in jobs.values() for task in job._sis_tasks()} == {77}
    for job in jobs.values():
        kind = type(job).__name__
        assert (job.rqmt.get("engine") == "short") == (kind == "DownloadJob")
        if kind == "UnpackJob":
            assert job.rqmt["time"] == 3


def archive_and_cuts(requests):
    corpus = demo_corpus(DEMO)
    outputs = {"train.zip": corpus.audio["train"], "train.jsonl.gz": corpus.cuts["train"]}
    register_outputs(outputs, requests=requests)


def test_a_kind_of_job_comes_before_all_jobs_and_the_settings_before_the_preset(monkeypatch, jobs_of):
    def requested(kind):
        (job,) = (job for job in jobs_of(lambda: archive_and_cuts(preset)).values() if type(job).__name__ == kind)
        return tuple(job.rqmt.get(name) for name in ("cpu", "mem", "time"))

    preset = {"*": {"cpu": 1, "mem": 2}, "OggZipJob": {"mem": 3}}
    assert requested("OggZipJob")[:2] == (1, 3)
    monkeypatch.setattr(gs, "REQUESTS", {"*": {"time": 99}, "OggZipJob": {"cpu": 7}}, raising=False)
    assert requested("OggZipJob") == (7, 3, 99)
    assert requested("ReadLibriSpeechAudioJob") == (1, 2, 99)


@pytest.mark.parametrize(
    ("requests", "fault"),
    [
        ({"TrainigJob": {"gpu": 2}}, "REQUESTS has TrainigJob; expected one of .*DownloadJob.*TrainJob"),
        ({"TrainJob": {"gpus": 2}}, "expected a dictionary of .*'gpu'"),
        ({"TrainJob": 2}, "REQUESTS has TrainJob: 2; expected a dictionary"),
    ],
)
def test_wrong_requests_in_the_settings_are_an_error(monkeypatch, jobs_of, requests, fault):
    monkeypatch.setattr(gs, "REQUESTS", requests, raising=False)
    with pytest.raises(ValueError, match=fault):
        jobs_of(lambda: archive_and_cuts({}))
