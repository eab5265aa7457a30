"""K2D (arXiv 2407.10603): pseudo labels of untranscribed recordings, and filters that keep what can be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sisyphus import tk

from ctc_kd.corpus.hold_out import HoldOutJob
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.experiments.corpora import Part
from ctc_kd.experiments.finished import fingerprint
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.lexicon.g2p import ApplyG2PJob, TrainG2PJob
from ctc_kd.lexicon.lexica import CmuLexiconJob, MergeLexiconJob
from ctc_kd.pseudo_labels.convert import ConvertWhisperJob
from ctc_kd.pseudo_labels.corpus import PiecesCorpusJob
from ctc_kd.pseudo_labels.filter import Rule
from ctc_kd.pseudo_labels.filter_job import DistancesJob, FilterJob, LatinWordsJob
from ctc_kd.pseudo_labels.phrases import SUBTITLES
from ctc_kd.pseudo_labels.piece_jobs import ChunksJob, SegmentsJob
from ctc_kd.pseudo_labels.references import ReferenceErrorsJob
from ctc_kd.pseudo_labels.repetition import LoopRule
from ctc_kd.pseudo_labels.tokens import TokensJob
from ctc_kd.pseudo_labels.transcribe import TranscribeJob
from ctc_kd.pseudo_labels.validate import ValidateJob
from ctc_kd.pseudo_labels.whisper import WhisperDecoding
from ctc_kd.report.pseudo_labels import FilterRow, PseudoLabelsReportJob
from ctc_kd.training.train_tokens import TrainWhisperJob, WhisperStudent
from ctc_kd.training.training_config import TrainingConfig

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

    @property
    def decoded_as(self) -> str | None:
        """The language whose token the decoder reads."""
        return self.language if self.language is None or isinstance(self.language, str) else self.language[0]


LOSS = {"ce_scale": 0.8, "kl_scale": 1.0, "temperature": 2.0}
"""The paper's weights, and the temperature of Distil-Whisper's code, which it builds on."""


class Kept(NamedTuple):
    """What a rule keeps: as pieces with times, and as a corpus for CTC."""

    pieces: tk.Path
    cuts: tk.Path
    transcripts: tk.Path


def own_whisper(name: str, *, mixed: Sequence[str] = ()) -> tk.Path | str:
    """A Whisper model as a config names it, in the format of CTranslate2.

    :param name: a folder of transformers or of CTranslate2, ``owner/model`` of the Hugging Face hub, or a size such as
        ``"large-v2"``. Only models of transformers are converted; names with ``faster-`` are of CTranslate2 already
    :param mixed: languages that the speech mixes, see ``ConvertWhisperJob``
    :raises FileNotFoundError: the name is a path, and there is no model
    :raises ValueError: languages are mixed, but the model is of CTranslate2
    """
    folder = os.path.abspath(os.path.expanduser(name))
    is_folder = name.startswith(("/", ".", "~")) or os.path.isdir(folder)
    if is_folder and not os.path.exists(os.path.join(folder, "config.json")):
        raise FileNotFoundError(f"{folder}: no config.json, expected a folder with a Whisper model")
    model = tk.Path(folder, hash_overwrite=f"Whisper model {fingerprint(folder)}") if is_folder else name
    is_converted = os.path.exists(os.path.join(folder, "model.bin")) if is_folder else "/" not in name
    if not (is_converted or "faster-" in os.path.basename(name)):
        return ConvertWhisperJob(model=model, languages=list(mixed)).out_model
    if mixed:
        raise ValueError(f"{name}: a model of CTranslate2, whose languages cannot be mixed; give one of transformers")
    return model


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

    :param teacher: see :func:`own_whisper`
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
        folder = row.replace(", ", "-").replace(" ", "_").lower()
        outputs |= {f"kept/{folder}/cuts.jsonl.gz": part.cuts, f"kept/{folder}/transcripts.txt": part.transcripts}
    register_outputs({f"k2d/{name}/{path}": output for path, output in outputs.items()}, requests=requests)
    return kept


def whisper_student(
    kept: Kept, recordings: Recordings, *, teacher: tk.Path | str, language: str, training: TrainingConfig, name: str
) -> TrainWhisperJob:
    """Registers a student that learns from kept pieces, as a folder of transformers, and returns its training.

    :param teacher: the model of transformers that wrote the labels
    :param language: of the speech; English models ignore it
    :param name: of the student below ``output/k2d/``
    """
    labelled = TokensJob(pieces=kept.pieces, model=teacher, language=language)
    split = HoldOutJob(cuts=PiecesCorpusJob(pieces=labelled.out_pieces, cuts=recordings.cuts).out_cuts)
    held_out = TokensJob(pieces=labelled.out_pieces, model=teacher, language=language, cuts=split.out_held_out)
    training_job = TrainWhisperJob(
        student=WhisperStudent(teacher),
        loss=LOSS,
        training=training,
        audio=[OggZipJob(cuts=split.out_train).out_ogg_zip],
        dev_audio=OggZipJob(cuts=split.out_held_out).out_ogg_zip,
        tokens=labelled.out_hdf,
        dev_tokens=held_out.out_hdf,
    )
    training_job.add_alias(f"k2d/{name}/train")
    register_outputs({f"k2d/{name}/student": training_job.out_student})
    return training_job


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
