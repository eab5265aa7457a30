"""Why a row is as good as it is: its alignment beside the teacher's, and its errors under four decoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.analysis.alignment import AlignmentJob
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.distillation import Distillation, TrainedRow
from ctc_kd.experiments.labels import Labels, label_references, without_lm
from ctc_kd.experiments.recognition import recognised, tuned_scales
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import TEACHER, Row
from ctc_kd.experiments.significance import MARGIN, tested
from ctc_kd.methods import METHODS
from ctc_kd.report.analysis.job import AnalysisReportJob
from ctc_kd.report.analysis.priors import interaction, key
from ctc_kd.report.names import short_name
from ctc_kd.scoring.label_errors import LabelErrorRateJob

SETS = ("dev", "test")


class Decoded(NamedTuple):
    """
    :param counts: dev and test -> errors (JSON)
    :param hypotheses: words of test; None if labels were counted
    """

    counts: dict[str, tk.Path]
    hypotheses: tk.Path | None


class Analysed(NamedTuple):
    """The jobs' outputs of a row."""

    trained: TrainedRow
    decoded: dict[str, Decoded]
    alignment: tk.Path | None

    @property
    def seed(self) -> int:
        return self.trained.training.training.seed


def analysed(chain: Distillation, rows: Iterable[Row], *, folder: str, labels: Labels | None = None) -> tk.Path:
    """Registers the report on rows of a corpus as ``output/<folder>/analysis``, and returns it.

    All of it comes from the posteriors of the rows, so rows that have been measured are not trained again.

    :param labels: those of the corpus if they spell words; None for phonemes
    """
    corpus = chain.corpus
    references = {name: label_references(corpus, chain.preset, getattr(corpus, name), labels) for name in SETS}
    theirs, found = chain.teacher_posteriors.out_posteriors[corpus.test], []
    for one in map(chain.trained, rows):
        ours = one.posteriors.out_posteriors[corpus.test]
        alignment = None if one.row == TEACHER else AlignmentJob(student=ours, teacher=theirs).out_alignment
        found.append(Analysed(one, decoded(chain, one, references=references, spells=labels is not None), alignment))
    report = AnalysisReportJob(
        title=f"Alignment and decoders: {corpus.name}",
        rows=[
            {
                "label": short_name(row.trained.row),
                "seed": row.seed,
                "decoders": {decoder: one.counts for decoder, one in row.decoded.items()},
                "alignment": row.alignment,
            }
            for row in found
        ],
        priors=what_the_prior_gains(corpus, found),
    )
    register_outputs({f"{folder}/analysis": report.out_report}, requests=chain.preset.requests)
    return report.out_report


def what_the_prior_gains(corpus: Corpus, rows: Sequence[Analysed]) -> tk.Path | None:
    """Tests on test how the tuned prior changes the difference of a row from plain KD of its weight.

    With the tuned prior, it also tests whether both are as good as each other.

    Rows have as many seeds as plain KD; None if no row has such a partner.
    """
    groups: dict[Row, list[Analysed]] = {}
    for row in sorted(rows, key=lambda row: row.seed):
        groups.setdefault(replace(row.trained.row, seed=None), []).append(row)
    pairs = {}
    for row, members in groups.items():
        plain = Row("all", row.weight) if METHODS[row.method].weighted else None
        if plain in groups and plain != row and len(groups[plain]) == len(members):
            pairs[short_name(row)] = short_name(plain)
    if not pairs or corpus.lm is None:
        return None
    hypotheses = {
        key(short_name(row), decoder): [member.decoded[decoder].hypotheses for member in members]
        for row, members in groups.items()
        for decoder in ("no prior", "tuned")
        if short_name(row) in {*pairs, *pairs.values()}
    }
    contrasts = {f"{row} − {plain}": interaction(row, plain) for row, plain in pairs.items()}
    against = {key(row, "tuned"): [key(plain, "tuned")] for row, plain in pairs.items()}
    return tested(corpus, hypotheses, against=against, contrasts=contrasts, margin=MARGIN)


def decoded(
    chain: Distillation, one: TrainedRow, *, references: dict[str, tk.Path], spells: bool
) -> dict[str, Decoded]:
    """What each decoder finds, by its name in ``report.analysis.decoders.DECODERS``.

    A corpus without lexicon or language model has fewer decoders. Every decoder has the same scales to choose from in
    all rows, and chooses on dev.

    :param references: dev and test -> label sequences
    :param spells: whether labels spell words, so that the best path is a text
    """
    corpus, preset = chain.corpus, chain.preset
    ours = {name: one.posteriors.out_posteriors[getattr(corpus, name)] for name in SETS}
    errors = {name: LabelErrorRateJob(hypotheses=ours[name], references=references[name]) for name in SETS}
    found = {"labels": Decoded({name: job.out_counts for name, job in errors.items()}, None)}
    if spells:
        found["best path"] = _words(chain, one, without_lm(corpus), lm_scale=0.0, prior_scale=0.0)
    if corpus.lexicon is not None:
        found["lexicon"] = _words(chain, one, corpus, lm_scale=0.0, prior_scale=0.0)
    if corpus.lm is not None:
        no_prior = replace(chain.scales_of(one.row), prior=(0.0,))
        scales = {
            "no prior": tuned_scales(corpus, preset, corpus.dev, posteriors=one.posteriors, scales=no_prior),
            "tuned": one.scales,
        }
        for name, job in scales.items():
            found[name] = _words(chain, one, corpus, lm_scale=job.out_lm_scale, prior_scale=job.out_prior_scale)
    return found


def _words(chain: Distillation, one: TrainedRow, corpus: Corpus, **scales: tk.Variable | float) -> Decoded:
    """:param corpus: with the lexicon and the language model of the decoder"""
    found = {}
    for name in SETS:
        set_name = getattr(corpus, name)
        posteriors, prior = one.posteriors.out_posteriors[set_name], one.posteriors.out_prior
        found[name] = recognised(corpus, chain.preset, set_name, posteriors=posteriors, prior=prior, **scales)
    counts = {name: one_set.score.out_counts for name, one_set in found.items()}
    return Decoded(counts, found["test"].search.out_hypotheses)
