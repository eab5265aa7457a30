"""Corpora with other labels, and all that their rows read."""

from dataclasses import replace

import pytest
from sisyphus import tk

from ctc_kd.corpus.speed import PerturbedTranscriptsJob
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_text
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.label_errors import label_errors
from ctc_kd.experiments.labels import (
    characters_of,
    for_other_labels,
    pieces_of,
    references_of,
    with_label_lm,
    with_labels,
    without_lm,
)
from ctc_kd.experiments.recognition import error_rates
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row

PRESET = for_other_labels(DEMO)


@pytest.fixture
def plain():
    return demo_corpus(DEMO)


@pytest.fixture(params=["characters", "pieces"])
def labels(request, plain):
    spoken = plain.transcripts["train"]
    if request.param == "characters":
        return characters_of(spoken, demo_text(), case="upper")
    return pieces_of(spoken, demo_text(), size=120, case="upper")


@pytest.fixture
def corpus(plain, labels):
    return with_labels(PRESET, plain, labels)


@pytest.mark.parametrize("row", [TEACHER, BASELINE, Row("all", 0.5), Row("symmetric", 1.0, 1)])
def test_models_and_their_posteriors_have_the_labels(corpus, labels, row):
    grid = Distillation(corpus, PRESET)
    one = grid.trained(row)
    for job in (one.training, one.posteriors, grid.teacher_dump):
        assert job.inventory == labels.inventory
        assert "num_labels_with_blank" not in job.model
    expected = (None, None) if row.weight == 1.0 else (corpus.labels["train"], corpus.labels["dev"])
    assert (one.training.labels, one.training.dev_labels) == expected


def test_words_are_found_through_the_same_words_and_language_model(plain, corpus, labels):
    scales = Distillation(corpus, PRESET).trained(BASELINE).scales
    assert (scales.lm, scales.transcripts) == (plain.lm, plain.transcripts["dev"])
    spelled = scales.lexicon.creator
    assert (spelled.lexica, spelled.tokenizer, spelled.missing) == ([plain.lexicon], labels.tokenizer, "error")


def test_only_utterances_to_compare_with_may_be_left_out(corpus, labels):
    policies = {name: corpus.labels[name].creator.missing for name in ("train", "dev")}
    assert policies == {"train": "error", "dev": "skip"}
    assert references_of(corpus, labels, "test").creator.missing == "skip"


def test_all_speeds_have_labels(plain, labels):
    preset = replace(PRESET, speed_factors=(0.9, 1.0))
    spelled = with_labels(preset, plain, labels).labels
    assert isinstance(spelled["train"].creator.transcripts.creator, PerturbedTranscriptsJob)
    assert spelled["dev"].creator.transcripts == plain.transcripts["dev"]


def test_all_decoders_of_a_row_read_one_set_of_posteriors(corpus, labels):
    grid = Distillation(corpus, PRESET)
    one = grid.trained(Row("all", 1.0))
    variants = [corpus, with_label_lm(corpus, labels, demo_text()), without_lm(corpus)]
    wers = [error_rates(variant, PRESET, one.posteriors, ["test"])["test"] for variant in variants]
    searches = [wer.creator.hypotheses.creator for wer in wers]
    assert {search.posteriors for search in searches} == {one.posteriors.out_posteriors["test"]}
    assert [(search.lexicon is None, search.lm is None) for search in searches] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    tuned = [search.lm_scale.creator for search in searches]
    assert tuned[0] == one.scales
    assert [(job.lm_scales, job.prior_scales) for job in tuned[1:]] == [
        (list(PRESET.scales.lm), list(PRESET.scales.prior)),
        ([0.0], [0.0]),
    ]


def test_label_errors_need_no_transcripts(corpus):
    grid = Distillation(corpus, PRESET)
    student, references = grid.trained(Row("all", 1.0)), tk.Path("labels.hdf")
    assert list(label_errors(grid, student, "test", references=None)) == [
        "teacher label errors",
        "agreement",
        "label agreement",
    ]
    found = label_errors(grid, student, "test", references=references)["label errors"].creator
    assert (found.hypotheses, found.references) == (student.posteriors.out_posteriors["test"], references)
    assert list(label_errors(grid, grid.trained(TEACHER), "test", references=references)) == ["label errors"]


def test_a_lexicon_needs_a_model_of_words(plain):
    with pytest.raises(ValueError, match="corpus demo has a lexicon, but no language model"):
        replace(plain, lm=None)
