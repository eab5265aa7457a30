"""K2D (arXiv 2407.10603): pseudo labels of untranscribed recordings, and filters that keep what can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sisyphus import tk

from ctc_kd.corpus.join import JoinUtterancesJob, Noise
from ctc_kd.experiments.corpora import Part
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.lexicon.g2p import ApplyG2PJob, TrainG2PJob
from ctc_kd.lexicon.lexica import CmuLexiconJob, MergeLexiconJob
from ctc_kd.pseudo_labels.corpus import PiecesCorpusJob
from ctc_kd.pseudo_labels.filter import Rule
from ctc_kd.pseudo_labels.filter_job import DistancesJob, FilterJob, LatinWordsJob
from ctc_kd.pseudo_labels.phrases import SUBTITLES
from ctc_kd.pseudo_labels.piece_jobs import ChunksJob, SegmentsJob
from ctc_kd.pseudo_labels.references import ReferenceErrorsJob
from ctc_kd.pseudo_labels.repetition import LoopRule
from ctc_kd.pseudo_labels.transcribe import TranscribeJob
from ctc_kd.pseudo_labels.validate import ValidateJob
from ctc_kd.pseudo_labels.whisper import WhisperDecoding
from ctc_kd.report.pseudo_labels import FilterRow, PseudoLabelsReportJob

SEGMENT_RULE = Rule(loops=LoopRule(), phrases=SUBTITLES)
"""What becomes no part of a chunk that a validator hears."""

ALL, NO_LOOPS = "All", "No loops"
METRICS = {
    "MER": Rule(metric="mer"),
    "PER": Rule(metric="per"),
    "composite": Rule(metric="composite", loops=LoopRule()),
}
PUBLISHED_KEPT = {ALL: 100.0, NO_LOOPS: 97.0, "MER": 55.0, "PER": 61.0, "composite": 74.0}
"""Percent of the time that the paper's filters kept, its validator being Whisper base (Table 2)."""


@dataclass(frozen=True)
class Recordings:
    """
    :param cuts: manifest of long recordings, 16 kHz mono
    :param references: transcribed utterances within the same files, if there are any; only the report reads them
    :param language: of the speech; None to detect that of each stretch; two for speech that mixes them
    """

    cuts: tk.Path
    references: Part | None = None
    language: str | Sequence[str] | None = None

    def __post_init__(self):
        if self.references is not None and self.references.transcripts is None:
            raise ValueError("the references have no texts: expected utterances with texts and times, such as a table")

    @property
    def decoded_as(self) -> str | None:
        """The language whose token the decoder reads."""
        return self.mixed[0] if self.mixed else self.language

    @property
    def mixed(self) -> list[str]:
        """The languages of speech that mixes some."""
        return [] if self.language is None or isinstance(self.language, str) else list(self.language)


def joined(part: Part, *, minutes: float, language: str | Sequence[str], noise: Noise | None = None) -> Recordings:
    """Transcribed utterances as long recordings, see :class:`ctc_kd.corpus.join.JoinUtterancesJob`."""
    job = JoinUtterancesJob(cuts=part.cuts, transcripts=part.transcripts, minutes=minutes, noise=noise)
    return Recordings(job.out_cuts, Part(job.out_reference_cuts, job.out_transcripts), language)


class Kept(NamedTuple):
    """What a rule keeps: as pieces with times, and as a corpus for CTC."""

    pieces: tk.Path
    cuts: tk.Path
    transcripts: tk.Path


def k2d(
    recordings: Recordings,
    *,
    teacher: tk.Path | str,
    validators: dict[str, dict[str, Any]],
    name: str,
    alpha: float = 0.4,
    decoding: WhisperDecoding = WhisperDecoding(),  # noqa: B008  it is frozen
    max_seconds: float | None = None,
    lexicon: tk.Path | None = None,
    requests: dict[str, dict] | None = None,
) -> dict[str, Kept]:
    """Registers the report and each row's kept pieces below ``output/k2d/<name>/``, and returns the latter.

    :param teacher: in the format of CTranslate2
    :param validators: name -> see :func:`ctc_kd.pseudo_labels.validators.validator_of`; those that say phonemes have no
        row for the MER
    :param alpha: threshold of all distances
    :param decoding: of the teacher
    :param max_seconds: of what is decoded at once, and of a chunk, if the teacher learnt from less than 30 s at once
    :param lexicon: English words and their phonemes; None for the CMU dictionary, and G2P for all other words
    """
    cuts = recordings.cuts
    transcribed = TranscribeJob(
        cuts=cuts, model=teacher, language=recordings.decoded_as, decoding=decoding, max_seconds=max_seconds
    )
    transcribed.add_alias(f"k2d/{name}/transcribe")
    segments = SegmentsJob(transcriptions=transcribed.out_transcriptions)
    everything, chunks = (chunks_of(segments, rule, max_seconds or 30.0) for rule in (Rule(), SEGMENT_RULE))
    rows = {ALL: (everything, Rule(), None, None), NO_LOOPS: (everything, Rule(loops=LoopRule()), None, None)}
    validated = {one: ValidateJob(pieces=chunks, cuts=cuts, validator=how) for one, how in validators.items()}
    lexicon = lexicon or pronunciations(chunks, [one.out_validations for one in validated.values()])
    for validator, job in validated.items():
        job.add_alias(f"k2d/{name}/{validator}")
        distances = DistancesJob(pieces=chunks, validations=job.out_validations, lexicon=lexicon).out_distances
        for metric, rule in METRICS.items():
            if metric != "MER" or not says_phonemes(validators[validator]):
                of_metric = Rule(rule.loops, rule.phrases, rule.metric, alpha)
                rows[f"{metric}, {validator}"] = (chunks, of_metric, distances, job.out_cost)
    shown, kept = {}, {}
    for row, (pieces, rule, distances, cost) in rows.items():
        filtered = FilterJob(pieces=pieces, rule=rule, distances=distances)
        errors = true_errors(recordings, pieces)
        published = PUBLISHED_KEPT[row.partition(",")[0]]
        shown[row] = FilterRow(pieces, filtered.out_decisions, filtered.out_summary, errors, cost, published)
        corpus = PiecesCorpusJob(pieces=filtered.out_kept, cuts=cuts)
        kept[row] = Kept(filtered.out_kept, corpus.out_cuts, corpus.out_transcripts)
    report = PseudoLabelsReportJob(
        title=f"Pseudo labels of {name}", rows=shown, cuts=cuts, cost=transcribed.out_cost, notes=[NOTE]
    )
    outputs = {"report": report.out_report, "faults.jsonl.gz": segments.out_faults}
    for row, part in kept.items():
        folder = f"kept/{folder_of(row)}"
        outputs |= {f"{folder}/cuts.jsonl.gz": part.cuts, f"{folder}/transcripts.txt": part.transcripts}
    register_outputs({f"k2d/{name}/{path}": output for path, output in outputs.items()}, requests=requests)
    return kept


def folder_of(rule: str) -> str:
    return rule.replace(", ", "-").replace(" ", "_").lower()


NOTE = (
    "Rows with a validator are of chunks without segments that loop or say a phrase of subtitles; shares are of all "
    "chunks. The paper filters chunks only."
)


def chunks_of(segments: SegmentsJob, rule: Rule, max_seconds: float) -> tk.Path:
    decisions = FilterJob(pieces=segments.out_segments, rule=rule).out_decisions
    job = ChunksJob(
        segments=segments.out_segments, faults=segments.out_faults, decisions=decisions, max_seconds=max_seconds
    )
    return job.out_chunks


def says_phonemes(validator: dict[str, Any]) -> bool:
    return validator["kind"] == "ctc" and validator["model"]["class"] == "HamaCtc"


def pronunciations(pieces: tk.Path, validations: list[tk.Path]) -> tk.Path:
    """The CMU dictionary, and by G2P the English words of the texts that it lacks."""
    dictionary = CmuLexiconJob().out_lexicon
    model = TrainG2PJob(lexicon=CmuLexiconJob(words=[], extra_words=3000).out_lexicon, max_iterations=10).out_model
    words = LatinWordsJob(pieces=pieces, validations=validations, lexicon=dictionary).out_words
    return MergeLexiconJob(lexica=[dictionary, ApplyG2PJob(model=model, words=words).out_lexicon]).out_lexicon


def true_errors(recordings: Recordings, pieces: tk.Path) -> tk.Path | None:
    if recordings.references is None:
        return None
    cuts, transcripts = recordings.references
    job = ReferenceErrorsJob(
        pieces=pieces, cuts=recordings.cuts, reference_cuts=cuts, reference_transcripts=transcripts
    )
    return job.out_errors
