"""The analysis of a grid's rows adds jobs to its graph, and trains nothing."""

from ctc_kd.decoding.search_job import SearchJob
from ctc_kd.decoding.tune import TuneScalesJob
from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_text
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.labels import characters_of, for_other_labels, with_labels
from ctc_kd.experiments.row_analysis import analysed
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row, with_seeds
from ctc_kd.experiments.significance import MARGIN

ROWS = [TEACHER, BASELINE, Row("symmetric", 1.0, 1), Row("symmetric", 1.0, 2)]


def test_analysis_adds_searches_and_trains_nothing(created):
    grid = blank_kd(demo_corpus(DEMO), DEMO, ROWS, name="demo")
    before = set(created)
    report = analysed(grid.chain, ROWS, folder="demo").creator
    new = [job for name, job in created.items() if name not in before]
    assert sorted({type(job).__name__ for job in new}) == [
        *("AlignmentJob", "AnalysisReportJob", "LabelErrorRateJob", "LabelSequencesJob", "ScoreJob", "SearchJob"),
        "TuneScalesJob",
    ]
    assert report.priors is None  # there is no plain KD to compare with
    assert [row["label"] for row in report.rows] == [
        *("Teacher", "Baseline", "Symmetric n = 1, λ = 1.0", "Symmetric n = 2, λ = 1.0"),
    ]
    assert [row["alignment"] is None for row in report.rows] == [True, False, False, False]
    assert {tuple(row["decoders"]) for row in report.rows} == {("labels", "lexicon", "no prior", "tuned")}
    # what is compared: the same scales of the language model, with and without prior
    tuned = [job for job in new if isinstance(job, TuneScalesJob)]
    assert {(tuple(job.lm_scales), tuple(job.prior_scales)) for job in tuned} == {(DEMO.scales.lm, (0.0,))}
    unscaled = [job for job in new if isinstance(job, SearchJob) and job.lm_scale == 0.0]
    assert len(unscaled) == 2 * len(ROWS) and {job.prior_scale for job in unscaled} == {0.0}
    # the searches with tuned scales are those of the records
    for row, one in zip(report.rows, grid.trained.values(), strict=True):
        search = row["decoders"]["tuned"]["dev"].creator.hypotheses.creator
        assert search.lm_scale == one.scales.out_lm_scale and search.job_id() in before


def test_labels_that_spell_words_have_a_best_path(created):
    preset, corpus = for_other_labels(DEMO), demo_corpus(DEMO)
    labels = characters_of(corpus.transcripts["train"], demo_text(), case="upper")
    chain = Distillation(with_labels(preset, corpus, labels), preset)
    report = analysed(chain, ROWS, folder="demo", labels=labels).creator
    assert list(report.rows[1]["decoders"]) == ["labels", "best path", "lexicon", "no prior", "tuned"]
    best_path = report.rows[1]["decoders"]["best path"]["test"].creator.hypotheses.creator
    assert best_path.lexicon is best_path.lm is None


def test_what_the_prior_gains_is_paired_by_seed(created):
    students = [Row("all", 1.0), Row("all", 0.25), Row("eliminate", 1.0)]
    rows = [TEACHER, *with_seeds(students, [43, 42]), Row("trim", 1.0, seed=42), BASELINE]
    chain = Distillation(demo_corpus(DEMO), DEMO)
    job = analysed(chain, rows, folder="demo").creator.priors.creator
    assert list(job.contrasts) == ["Blank elim., λ = 1.0 − KD, λ = 1.0"]  # trim has one seed only
    (factors,) = job.contrasts.values()
    assert factors == {
        "Blank elim., λ = 1.0 | no prior": 1,
        "KD, λ = 1.0 | no prior": -1,
        "Blank elim., λ = 1.0 | tuned": -1,
        "KD, λ = 1.0 | tuned": 1,
    }
    assert job.against == {"Blank elim., λ = 1.0 | tuned": ["KD, λ = 1.0 | tuned"]} and job.margin == MARGIN
    for decoder in ("no prior", "tuned"):
        first, second = job.hypotheses[f"KD, λ = 1.0 | {decoder}"]
        seeds = [path.creator.posteriors.creator for path in (first, second)]
        assert seeds == [chain.trained(Row("all", 1.0, seed=seed)).posteriors for seed in (42, 43)]
