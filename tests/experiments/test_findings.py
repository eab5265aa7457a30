"""The graphs behind config/findings.py: who learns from what, and what is compared with what."""

import asyncio
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from config import findings
from sisyphus import tk, toolkit
from sisyphus.graph import SISGraph

from ctc_kd.experiments.beside import regret
from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.corpora import Labelled
from ctc_kd.experiments.demo import DEMO, DEMO_FOR_HOURS, demo_corpus, demo_hours
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.hours import BUDGETS, NOTES, OF_OWN_AUDIO, WITHOUT_TRANSCRIPTS, check, worth_of_hours
from ctc_kd.experiments.matched import matched_weights
from ctc_kd.experiments.rows import BASELINE, Row
from ctc_kd.experiments.speech import demo_speech, in_units
from ctc_kd.report.differences import DifferencesReportJob
from ctc_kd.training.train import TrainJob


def trainings(hypotheses):
    """The training behind each file of hypotheses."""
    posteriors = [path.creator.posteriors.creator for path in hypotheses]
    return [job.checkpoint.creator for job in posteriors]


def test_hours_differ_in_nothing_but_audio_and_labels():
    corpus, audio = demo_corpus(DEMO), demo_hours(DEMO, 2.0)
    rows = [Row("all", 1.0), Row("frames_and_path", 1.0, 0.5)]
    report = worth_of_hours(corpus, DEMO_FOR_HOURS, audio, hours=[0.5, 1, 2], seeds=[43, 42], name="hours", rows=rows)
    found = {name: path.creator for name, path in report.creator.budgets.items()}
    assert [name.lower() for name in found] == list(BUDGETS)
    teachers, parts = set(), {}
    for budget, exchange in found.items():
        assert (exchange.reference, exchange.target) == ("Baseline", 1.0)
        assert list(exchange.curves) == ["Baseline", "KD, λ = 1.0", "KD, best path share = 0.5, λ = 1.0"]
        for label, curve in exchange.curves.items():
            assert [hours for hours, _ in curve] == [0.5, 1.0, 2.0]
            assert all(isinstance(hours, float) for hours, _ in curve)
            for hours, hypotheses in curve:
                for seed, training in zip([43, 42], trainings(hypotheses), strict=True):
                    assert training.training.seed == seed
                    (heard,) = training.audio
                    assert (heard.creator.cuts.creator.hours, heard.creator.cuts.creator.cuts) == (hours, audio.cuts)
                    assert training.labels == (audio.labels if label == "Baseline" else None)
                    parts.setdefault(budget, set()).add((hours, training.training.partition_epoch))
                    times = 3 if label == "Baseline" else 1
                    assert training.training.num_epochs == times * DEMO.student_training.num_epochs
                    if training.teacher_logits:
                        teachers.add(training.teacher_logits.creator.checkpoint)
    assert parts == {"Equal updates": {(0.5, 1), (1.0, 2), (2.0, 4)}, "Equal passes": {(0.5, 1), (1.0, 1), (2.0, 1)}}
    assert teachers == {Distillation(corpus, DEMO).teacher_checkpoint}
    assert report.creator.teacher.creator.row["row"] == "teacher"


def test_the_fewest_hours_are_heard_whole_whatever_the_preset_divides():
    preset = replace(DEMO, student_training=replace(DEMO.student_training, partition_epoch=8))
    arguments = {"hours": [0.5, 1.0], "seeds": [42], "name": "hours", "rows": [Row("all", 1.0)]}
    report = worth_of_hours(demo_corpus(preset), preset, demo_hours(DEMO, 1.0), budgets=BUDGETS[:1], **arguments)
    for curve in report.creator.budgets["Equal updates"].creator.curves.values():
        assert [trainings(found)[0].training.partition_epoch for _, found in curve] == [1, 2]


def test_fewer_hours_need_no_students_of_their_own(created):
    findings.untranscribed(seeds=[42])
    trained = {job.job_id() for job in created.values() if isinstance(job, TrainJob)}
    created.clear()
    findings.untranscribed(hours=[0.5, 1.0], seeds=[42])
    assert {job.job_id() for job in created.values() if isinstance(job, TrainJob)} < trained
    created.clear()
    findings.untranscribed(hours=[1.0, 2.0], seeds=[42], budgets=["equal updates"])
    assert not {job.job_id() for job in created.values() if isinstance(job, TrainJob)} <= trained


def test_a_preset_may_say_how_its_baseline_is_trained():
    arguments = {
        "audio": demo_hours(DEMO, 1.0),
        "hours": [1.0],
        "seeds": [42],
        "name": "hours",
        "rows": [Row("all", 1.0)],
    }
    for preset in (DEMO, DEMO_FOR_HOURS):
        report = worth_of_hours(demo_corpus(preset), preset, budgets=BUDGETS[:1], **arguments).creator
        ((_, hypotheses),) = report.budgets["Equal updates"].creator.curves["Baseline"]
        (training,) = trainings(hypotheses)
        assert training.training == (preset.baseline_training or preset.student_training)
        assert report.notes == [*NOTES, *preset.notes]


def test_a_teacher_that_was_fine_tuned_on_the_students_audio_is_named():
    corpus = demo_corpus(DEMO)
    train = Labelled(corpus.cuts["train"], corpus.labels["train"])
    for audio, has_heard in ((train, True), (demo_hours(DEMO, 1.0), False)):
        report = worth_of_hours(corpus, DEMO, audio, hours=[1.0], seeds=[42], name="hours", rows=[Row("all", 1.0)])
        assert (OF_OWN_AUDIO in report.creator.notes) is has_heard


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"hours": [0.5, 0.75, 1.0]}, "expected multiples of the fewest"),
        ({"hours": [0.5, 2.0]}, "with 1 among them"),
        ({"budgets": ["equal time"]}, "no budget equal time; expected some of equal updates"),
        ({"rows": [Row("all", 0.9)]}, "all-l0.9: expected lambda 1"),
    ],
)
def test_hours_that_cannot_be_compared_are_refused(changed, fault):
    arguments = {"hours": [0.1, 0.3, 1.0], "budgets": BUDGETS, "rows": WITHOUT_TRANSCRIPTS}
    check(**arguments)
    with pytest.raises(ValueError, match=fault):
        check(**{**arguments, **changed})


def test_rules_are_compared_with_the_n_that_dev_chose_seed_by_seed():
    students = [Row("symmetric", 1.0, 1), Row("symmetric", 1.0, 2), Row("neighbour", 1.0, 0.1)]
    chains = {f"pauses × {factor}": Distillation(demo_corpus(DEMO, pause_factor=factor), DEMO) for factor in (1.0, 4.0)}
    report = regret(chains, students, seeds=[42, 43], name="silence").creator
    assert isinstance(report, DifferencesReportJob) and list(report.settings) == list(report.chosen) == list(chains)
    for setting in chains:
        job = report.settings[setting].creator
        assert list(job.hypotheses) == [
            *("Symmetric n = 1, λ = 1.0", "Symmetric n = 2, λ = 1.0", "Neighbour α = 0.1, λ = 1.0", "best n")
        ]
        assert set(job.against) == {*job.hypotheses} - {"best n"}
        assert [job.training.seed for job in trainings(job.hypotheses["Neighbour α = 0.1, λ = 1.0"])] == [42, 43]
        choices = [path.creator for path in job.hypotheses["best n"]]
        assert [choice.seed for choice in choices] == [42, 43] and report.chosen[setting] == choices[0].out_record
        of_n = [job.hypotheses[f"Symmetric n = {n}, λ = 1.0"] for n in (1, 2)]
        assert [one["hypotheses"] for one in choices[1].candidates] == [path for paths in of_n for path in paths]
        assert [one["record"].creator.row["row"] for one in choices[1].candidates] == [
            *("symmetric-n1-l1-s42", "symmetric-n1-l1-s43", "symmetric-n2-l1-s42", "symmetric-n2-l1-s43")
        ]
    assert demo_corpus(DEMO).transcripts != demo_corpus(DEMO, pause_factor=4.0).transcripts


def test_plain_kd_is_trained_with_the_weight_that_losses_say(created, monkeypatch):
    waited_for = []

    async def finished(weights):
        assert {one.rqmt.get("gpu", 0) for one in created.values()} == {0}, (
            "the preset's requests hold before anything runs"
        )
        for weight in weights:
            waited_for.append(weight.creator)
            monkeypatch.setattr(weight, "get", lambda: 0.4)

    monkeypatch.setattr(tk, "async_run", finished, raising=False)
    speech = demo_speech()
    asyncio.run(
        matched_weights(speech.corpus, {"T2": DEMO}, weights=[0.25], seeds=[42], name="matched", teacher=speech.teacher)
    )
    (job,) = waited_for
    kinds = [
        [path.creator.criterion.get("selection", {}).get("rule") for path in paths] for paths in (job.curves, job.like)
    ]
    assert (job.weight, kinds) == (0.25, [["all"], ["symmetric"]])
    scales = sorted(one.criterion["kd_scale"] for one in created.values() if isinstance(one, TrainJob))
    assert scales == [0.0, 0.25, 0.25, 0.4]
    (report,) = (one for one in created.values() if isinstance(one, DifferencesReportJob))
    ((setting, significance),) = report.settings.items()
    assert setting == "T2, λ = 0.25, matched 0.4"
    assert significance.creator.against == {"KD at λ": ["KD, λ matched"], "selection at λ": ["KD, λ matched"]}
    (matched,) = trainings(significance.creator.hypotheses["KD, λ matched"])
    assert matched.criterion["kd_scale"] == 0.4


def test_units_are_other_labels_of_the_same_words():
    speech = demo_speech()
    assert in_units(speech, "phonemes") is speech
    pieces = in_units(speech, "pieces")
    assert pieces.corpus.transcripts == speech.corpus.transcripts and pieces.corpus.labels != speech.corpus.labels
    assert pieces.labels.name == "pieces" and pieces.corpus.inventory == pieces.labels.inventory
    with pytest.raises(ValueError, match="no units 'syllables'; expected one of phonemes, characters, pieces"):
        in_units(speech, "syllables")
    finished = speech._replace(preset=replace(DEMO, teacher={"class": "HamaCtc"}))
    with pytest.raises(ValueError, match="a finished teacher has labels of its own, expected no pieces"):
        in_units(finished, "pieces")


@pytest.mark.parametrize(
    ("ask", "trains"),
    [
        (lambda: findings.prior(weights=[1.0], seeds=[42, 43]), False),
        (lambda: findings.untranscribed(hours=[0.5, 1.0], seeds=[42, 43], budgets=["equal updates"]), False),
        (lambda: findings.silence(factors=[1.0], seeds=[42, 43]), False),
        (lambda: findings.normalisation(seeds=[42]), False),
        (lambda: blank_kd(demo_corpus(DEMO), DEMO, [BASELINE], name="demo"), True),  # its report has learning curves
    ],
    ids=["prior", "untranscribed", "silence", "normalisation", "another row"],
)
def test_rows_of_archives_are_not_trained_again(monkeypatch, tmp_path, ask, trains):
    monkeypatch.setattr(toolkit, "sis_graph", SISGraph())
    ask()
    for job in toolkit.sis_graph.jobs():
        write_job(tmp_path, job.job_id().removeprefix("ctc_kd/"), ["finished", "output/found"])
    kept = {name.removesuffix("/finished") for name in packed(tmp_path, "42.tar.xz")}
    waiting, needed = list(toolkit.sis_graph.target_jobs()), set()
    while waiting:
        job = waiting.pop()
        if job not in needed and job.job_id().removeprefix("ctc_kd/") not in kept:
            needed.add(job)
            waiting += job._sis_creators()
    assert any(isinstance(job, TrainJob) for job in needed) == trains


def test_an_archive_has_what_finished_rows_found(tmp_path):
    search, score = "decoding/search_job/SearchJob.a", "scoring/score/ScoreJob.b"
    write_job(tmp_path, search, ["finished.tar.gz", "info", "output/hypotheses.txt"])
    write_job(tmp_path, score, ["finished", "output/counts.json", "output/alignments.txt"])
    write_job(tmp_path, "scoring/score/ScoreJob.c", ["output/counts.json"])
    write_job(tmp_path, "scoring/bootstrap/SignificanceJob.d", ["finished", "output/significance.json"])
    write_job(tmp_path, "training/train/TrainJob.e", ["finished", "output/models/epoch.001.pt"])
    expected = {f"{search}/output/hypotheses.txt", f"{score}/output/counts.json"}
    assert packed(tmp_path, "42.tar.xz") == expected | {f"{search}/finished", f"{score}/finished"}


def test_an_archive_has_no_row_of_those_beside_it(tmp_path):
    first, second = "scoring/score/ScoreJob.a", "scoring/score/ScoreJob.b"
    write_job(tmp_path, first, ["finished", "output/counts.json"])
    before = packed(tmp_path, "42.tar.xz")
    write_job(tmp_path, second, ["finished", "output/counts.json"])
    assert packed(tmp_path, "43.tar.xz") == {f"{second}/finished", f"{second}/output/counts.json"}
    (tmp_path / "43.tar.xz").unlink()
    assert packed(tmp_path, "42.tar.xz") > before


def write_job(folder, job, names):
    for name in names:
        file = folder / "work" / "ctc_kd" / job / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)


def packed(folder, name):
    """The files of the jobs in an archive of all jobs."""
    (folder / "settings.py").touch()
    script = Path(__file__).parents[2] / "docs" / "findings" / "pack.sh"
    found = subprocess.run([sys.executable, "-m", "sisyphus", "find", ""], cwd=folder, check=True, capture_output=True)
    subprocess.run([script, name], cwd=folder, check=True, input=found.stdout)
    with tarfile.open(folder / name) as archive:
        return {file.name.removeprefix("work/ctc_kd/") for file in archive if file.isfile()}
