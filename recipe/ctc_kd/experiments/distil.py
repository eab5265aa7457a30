"""A smaller version of one's own CTC model: students of a finished teacher, from audio alone (`config/distil.py`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sisyphus import tk

from ctc_kd.analysis.agreement import FrameAgreementJob
from ctc_kd.analysis.coverage import CoverageJob
from ctc_kd.corpus.hold_out import HoldOutJob
from ctc_kd.corpus.sets import SelectTranscriptsJob
from ctc_kd.experiments.corpora import Corpus, Part, archive, ngram_lm
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.export import name_of
from ctc_kd.experiments.labels import Labels
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.recognition import error_rates, posteriors_of, tuned_scales
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.experiments.rows import BASELINE, Row
from ctc_kd.export.distilled import ExportDistilledJob, Measured
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.lexicon.spell import SpellTranscriptsJob, SpellWordsJob
from ctc_kd.lm.text import LmTextJob
from ctc_kd.report.names import row_name
from ctc_kd.report.students import Column, StudentsReportJob
from ctc_kd.scoring.label_errors import LabelErrorRateJob
from ctc_kd.scoring.score import ERROR_RATES, check_unit
from ctc_kd.training.model_inventory import ModelInventoryJob
from ctc_kd.training.posteriors import PosteriorsJob

FROM_AUDIO = [Row("all", 1.0), Row("eliminate", 1.0), *(Row("symmetric", 1.0, n) for n in (1, 2, 3))]
FROM_TRANSCRIPTS = [BASELINE, Row("all", 0.9), Row("symmetric", 0.9, 1)]
HELD_OUT = "held_out"


@dataclass(frozen=True)
class Sources:
    """
    :param audio: what students learn from; nobody reads transcripts of it
    :param dev, test: transcribed, for error rates
    :param labelled: transcribed, for students that learn from transcripts, too
    :param text: one sentence per line, for a language model of words
    :param lexicon: words and the labels that spell them: those of ``labelled`` for training, all of them for the search
        with ``text``. Without one the teacher's own vocabulary spells words, which phonemes cannot
    :param unit: what errors on dev and test are counted in, ``"words"`` or ``"characters"``
    """

    audio: Part
    dev: Part | None = None
    test: Part | None = None
    labelled: Part | None = None
    text: tk.Path | None = None
    lexicon: tk.Path | None = None
    unit: str = "words"

    def __post_init__(self):
        check_unit(self.unit)
        for name, part in {**self.tested, "labelled": self.labelled}.items():
            if part is not None and part.transcripts is None:
                raise ValueError(f"{name} has no transcripts: expected a source with texts")
        if len(self.tested) == 1:
            raise ValueError(f"only {' '.join(self.tested)} is given: scales are chosen on dev, errors counted on test")
        if self.lexicon is not None and self.text is None and self.labelled is None:
            raise ValueError("a lexicon needs a text, for the language model of its words, or labelled audio")

    @property
    def tested(self) -> dict[str, Part]:
        return {name: part for name, part in (("dev", self.dev), ("test", self.test)) if part is not None}


def distil(teacher: dict, sources: Sources, preset: Preset, *, name: str):
    """Registers the report, the students' checkpoints and the folder of the best under ``output/distil/<name>/``.

    :param teacher: class and config of a finished model, see ``ctc_kd.training.build.MODELS``
    :param preset: size and training of the students; its own teacher is not used
    """
    preset = replace(preset, teacher=teacher)
    labels = Labels(name, ModelInventoryJob(model=teacher).out_inventory, teacher.get("model"))
    from_audio = Distillation(audio_corpus(preset, sources, labels), preset)
    own_frames = {**teacher, "subsampling": None}
    as_it_is = posteriors_of(from_audio.corpus, own_frames, None)
    pooled = posteriors_of(from_audio.corpus, teacher, None)
    tested = list(sources.tested)
    rows = {
        "Teacher": error_rates(from_audio.corpus, preset, as_it_is, tested),
        "Teacher, pooled": {
            "labels": label_errors(pooled, as_it_is),
            **error_rates(from_audio.corpus, preset, pooled, tested),
        },
    }
    outputs, candidates = {}, {}
    students = [(from_audio, row) for row in FROM_AUDIO]
    if sources.labelled is not None:
        labelled = Distillation(labelled_corpus(from_audio, sources, labels), preset)
        students += [(labelled, row) for row in FROM_TRANSCRIPTS]
    for grid, row in students:
        training = grid.student(row)
        training.add_alias(f"distil/{name}/{row.name}/train")
        posteriors = posteriors_of(grid.corpus, training.model, training.checkpoint())
        agreement = FrameAgreementJob(
            student=posteriors.out_posteriors[HELD_OUT], teacher=pooled.out_posteriors[HELD_OUT]
        )
        rows[row_name(row)] = {
            "labels": label_errors(posteriors, as_it_is),
            "frames": agreement.out_share,
            "spikes": agreement.out_label_share,
            **error_rates(grid.corpus, preset, posteriors, tested),
            "parameters": training.out_num_parameters,
        }
        outputs[f"students/{row.name}.pt"] = training.checkpoint()
        candidates[row_name(row)] = candidate(grid, posteriors, rows[row_name(row)])
    outputs["students/best"] = export(from_audio, candidates)
    coverage = CoverageJob(logits=from_audio.teacher_dump.out_logits, selections=[row.selection for row in FROM_AUDIO])
    report = StudentsReportJob(
        title=f"Students of {name}",
        columns=columns(sources.unit, posteriors=as_it_is.job_id()),
        rows=rows,
        teachers=["Teacher", "Teacher, pooled"],
        coverage=coverage.out_coverage,
    )
    outputs["report"] = report.out_report
    register_outputs({f"distil/{name}/{path}": output for path, output in outputs.items()}, requests=preset.requests)


def candidate(grid: Distillation, posteriors: PosteriorsJob, measured: dict[str, tk.Variable]) -> Measured:
    """A student that may be exported. Without dev it has no scales, and leaves with its best path."""
    found = {"model": posteriors.model, "checkpoint": posteriors.checkpoint, "prior": posteriors.out_prior}
    if "dev" not in measured:
        return {**found, "errors": measured["labels"], "lm_scale": 0.0, "prior_scale": 0.0}
    scales = tuned_scales(grid.corpus, grid.preset, "dev", posteriors=posteriors, scales=grid.preset.scales)
    chosen = {"lm_scale": scales.out_lm_scale, "prior_scale": scales.out_prior_scale}
    return {**found, "errors": measured["dev"], **chosen}


def export(grid: Distillation, candidates: dict[str, Measured]) -> tk.Path:
    """The folder of the best of them: on dev, or beside the teacher."""
    corpus = grid.corpus
    is_tested = "dev" in corpus.transcripts
    return ExportDistilledJob(
        candidates=candidates,
        measure="errors on dev" if is_tested else "label errors beside the teacher on held-out audio",
        corpus=f"the audio of {corpus.name}",
        inventory=corpus.inventory,
        lexicon=corpus.lexicon if is_tested else None,
        lm=corpus.lm if is_tested else None,
        search=grid.preset.search,
        teacher=name_of(grid.preset.teacher),
    ).out_student


def columns(unit: str, *, posteriors: str) -> dict[str, Column]:
    """
    :param unit: of the errors on dev and test
    :param posteriors: id of the job with those of the teacher
    """
    rate = ERROR_RATES[unit]
    silent = f"blank is all that the teacher says of held-out audio ({posteriors}): give more audio with speech"
    return {
        "labels": Column(
            "LER [%]",
            "label errors of the best path on held-out audio, against the teacher's before pooling",
            gap=silent,
        ),
        "frames": Column("equal frames [%]", "held-out frames with the pooled teacher's best label", "max"),
        "spikes": Column("equal labels [%]", "the same of frames in which that is not blank", "max", gap=silent),
        "dev": Column(f"dev {rate} [%]", f"errors on dev, counted in {unit}"),
        "test": Column(f"test {rate} [%]", "the same on test, with the scales that are best on dev"),
        "parameters": Column("parameters [M]", "size of the model, in millions", factor=1e-6),
    }


def audio_corpus(preset: Preset, sources: Sources, labels: Labels) -> Corpus:
    """The audio, with a part of it held out; and dev and test, if there are any."""
    split = HoldOutJob(cuts=sources.audio.cuts)
    cuts = {"train": split.out_train, HELD_OUT: split.out_held_out}
    cuts |= {set_name: part.cuts for set_name, part in sources.tested.items()}
    lexicon, lm = None, None
    if sources.text is not None:
        text = LmTextJob(texts=[sources.text], inventory=labels.inventory).out_text
        lexicon, lm = sources.lexicon, ngram_lm(text)
        if lexicon is None:
            lexicon = SpellWordsJob(texts=[text], missing="skip", **labels.spelling()).out_lexicon
    return Corpus(
        name=labels.name,
        audio={set_name: archive(preset, path) for set_name, path in cuts.items()},
        cuts=cuts,
        transcripts={set_name: part.transcripts for set_name, part in sources.tested.items()},
        labels={},
        lexicon=lexicon,
        lm=lm,
        lm_statistics={},
        validation=HELD_OUT,
        recognised=(HELD_OUT, *sources.tested),
        prior=HELD_OUT,
        inventory=labels.inventory,
        unit=sources.unit,
    )


def labelled_corpus(grid: Distillation, sources: Sources, labels: Labels) -> Corpus:
    """A corpus whose students learn from labelled audio; they are measured as those that learn from audio alone."""
    corpus, preset = grid.corpus, grid.preset
    split = HoldOutJob(cuts=sources.labelled.cuts)
    parts = {"train": split.out_train, "validation": split.out_held_out}
    sequences = {}
    for name, cuts in parts.items():
        transcripts = SelectTranscriptsJob(transcripts=sources.labelled.transcripts, cuts=cuts).out_transcripts
        if sources.lexicon is None:
            job = SpellTranscriptsJob(transcripts=transcripts, **labels.spelling())
        else:
            job = LabelSequencesJob(
                transcripts=transcripts,
                lexicon=sources.lexicon,
                skip_unknown_words=name != "train",
                inventory=labels.inventory,
            )
        sequences[name] = job.out_hdf
    audio = {name: archive(preset, cuts) for name, cuts in parts.items()}
    return replace(
        corpus,
        name=f"{corpus.name}-labelled",
        audio={**corpus.audio, **audio},
        cuts={**corpus.cuts, **parts},
        labels=sequences,
        validation="validation",
    )


def label_errors(hypotheses: PosteriorsJob, references: PosteriorsJob) -> tk.Variable:
    """On held-out audio, without language model."""
    ours, theirs = (job.out_posteriors[HELD_OUT] for job in (hypotheses, references))
    return LabelErrorRateJob(hypotheses=ours, references=theirs).out_rate
