"""Why a row is as good as it is: its alignment beside the teacher's, and its errors under four decoders."""

from __future__ import annotations

from dataclasses import replace

from sisyphus import tk

from ctc_kd.analysis.alignment import AlignmentJob
from ctc_kd.experiments.blank_kd import Grid
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation, TrainedRow
from ctc_kd.experiments.labels import Labels, references_of, without_lm
from ctc_kd.experiments.recognition import recognised, tuned_scales
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import TEACHER
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.report.analysis.job import AnalysisReportJob
from ctc_kd.report.names import short_name
from ctc_kd.scoring.label_errors import LabelErrorRateJob

SETS = ("dev", "test")


def analysed(grid: Grid, *, labels: Labels | None = None) -> tk.Path:
    """Registers the report on all rows of a grid as ``analysis`` beside their records, and returns it.

    All of it comes from the posteriors that the grid has computed.

    :param labels: those of the corpus if they spell words; None for phonemes
    """
    chain, rows = grid.chain, []
    corpus = chain.corpus
    references = {name: label_references(chain, getattr(corpus, name), labels) for name in SETS}
    theirs = chain.teacher_posteriors.out_posteriors[corpus.test]
    for one in grid.trained.values():
        ours = one.posteriors.out_posteriors[corpus.test]
        student = one.row != TEACHER
        rows.append(
            {
                "label": short_name(one.row),
                "seed": one.training.training.seed,
                "decoders": decoded(chain, one, references=references, spells=labels is not None),
                "alignment": AlignmentJob(student=ours, teacher=theirs).out_alignment if student else None,
            }
        )
    report = AnalysisReportJob(title=f"Alignment and decoders: {corpus.name}", rows=rows)
    register_outputs({f"{grid.folder}/analysis": report.out_report}, requests=chain.preset.requests)
    return report.out_report


def decoded(
    chain: Distillation, one: TrainedRow, *, references: dict[str, tk.Path], spells: bool
) -> dict[str, dict[str, tk.Path]]:
    """The errors of a row: decoder (a name of ``report.analysis.decoders.DECODERS``) -> dev or test -> counts (JSON).

    A corpus without lexicon or language model has fewer decoders. Every decoder has the same scales to choose from in
    all rows, and chooses on dev.

    :param references: dev and test -> label sequences
    :param spells: whether labels spell words, so that the best path is a text
    """
    corpus, preset = chain.corpus, chain.preset
    ours = {name: one.posteriors.out_posteriors[getattr(corpus, name)] for name in SETS}
    found = {
        "labels": {
            name: LabelErrorRateJob(hypotheses=ours[name], references=references[name]).out_counts for name in SETS
        }
    }
    if spells:
        found["best path"] = _scored(chain, one, without_lm(corpus), lm_scale=0.0, prior_scale=0.0)
    if corpus.lexicon is not None:
        found["lexicon"] = _scored(chain, one, corpus, lm_scale=0.0, prior_scale=0.0)
    if corpus.lm is not None:
        no_prior = replace(chain.scales_of(one.row), prior=(0.0,))
        scales = {
            "no prior": tuned_scales(corpus, preset, corpus.dev, posteriors=one.posteriors, scales=no_prior),
            "tuned": one.scales,
        }
        for name, job in scales.items():
            found[name] = _scored(chain, one, corpus, lm_scale=job.out_lm_scale, prior_scale=job.out_prior_scale)
    return found


def _scored(chain: Distillation, one: TrainedRow, corpus: Corpus, **scales: tk.Variable | float) -> dict[str, tk.Path]:
    """Dev and test -> counts of word errors.

    :param corpus: with the lexicon and the language model of the decoder
    """
    counts = {}
    for name in SETS:
        set_name = getattr(corpus, name)
        posteriors, prior = one.posteriors.out_posteriors[set_name], one.posteriors.out_prior
        found = recognised(corpus, chain.preset, set_name, posteriors=posteriors, prior=prior, **scales)
        counts[name] = found.score.out_counts
    return counts


def label_references(chain: Distillation, name: str, labels: Labels | None) -> tk.Path:
    """Label sequences of a set.

    Phonemes are those of the first pronunciation of each word; utterances with other words than those of the lexicon
    have none.
    """
    corpus = chain.corpus
    if labels is not None:
        return references_of(corpus, labels, name)
    if corpus.lexicon is None:
        raise ValueError(f"corpus {corpus.name} has no lexicon: say which labels spell its words")
    unknown_label = corpus.inventory is None and bool(phonemes(chain.preset.student["num_labels_with_blank"]).unspoken)
    job = LabelSequencesJob(
        transcripts=corpus.transcripts[name],
        lexicon=corpus.lexicon,
        skip_unknown_words=True,
        unknown_label=unknown_label,
        inventory=corpus.inventory,
    )
    return job.out_hdf
