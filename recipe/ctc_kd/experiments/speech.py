"""Where a question is asked: a corpus with a preset, as configs name it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sisyphus import tk

from ctc_kd.experiments.corpora import Corpus, Labelled, last_name, on_disk
from ctc_kd.experiments.demo import DEMO, demo_corpus, demo_text
from ctc_kd.experiments.distil import Sources, audio_corpus, labelled_corpus
from ctc_kd.experiments.distil_sizes import preset_of
from ctc_kd.experiments.distillation import Distillation
from ctc_kd.experiments.finished import own_teacher
from ctc_kd.experiments.labels import Labels, characters_of, for_other_labels, pieces_of, with_labels
from ctc_kd.experiments.presets import Preset
from ctc_kd.experiments.rows import TEACHER, Row
from ctc_kd.experiments.sources import own_lexicon, own_part
from ctc_kd.training.build import is_finished
from ctc_kd.training.model_inventory import ModelInventoryJob

NUM_PIECES = 120
UNITS = ("phonemes", "characters", "pieces")


class Speech(NamedTuple):
    """
    :param texts: beside the transcripts of ``train``, to learn other labels from
    :param labels: those of the corpus if they spell words; None for phonemes
    """

    corpus: Corpus
    preset: Preset
    texts: tuple[tk.Path, ...] = ()
    labels: Labels | None = None

    @property
    def teacher(self) -> list[Row]:
        """The teacher's row; none for a finished model, which is not trained here."""
        return [] if is_finished(self.preset.teacher) else [TEACHER]

    @property
    def train(self) -> Labelled:
        return Labelled(self.corpus.cuts["train"], self.corpus.labels["train"])


def demo_speech(preset: Preset = DEMO) -> Speech:
    return Speech(demo_corpus(preset), preset, (demo_text(),))


def in_units(speech: Speech, units: str) -> Speech:
    """The same speech with other labels.

    :param units: one of :data:`UNITS`; ``"phonemes"`` leaves the labels as they are
    :raises ValueError: there are no such units, or the teacher is a finished model
    """
    if units not in UNITS:
        raise ValueError(f"there are no units {units!r}; expected one of {', '.join(UNITS)}")
    if units == UNITS[0]:
        return speech
    if not speech.teacher:
        raise ValueError(f"a finished teacher has labels of its own, expected no {units}")
    corpus, preset, texts, _ = speech
    spoken, preset = corpus.transcripts["train"], for_other_labels(preset)
    if units == "characters":
        labels = characters_of(spoken, *texts, case="upper")
    else:
        labels = pieces_of(spoken, *texts, size=NUM_PIECES, case="upper")
    return Speech(with_labels(preset, corpus, labels), preset, texts, labels)


def finished_speech(
    teacher: str,
    *,
    audio: str,
    dev: str,
    test: str,
    text: str,
    lexicon: str | None = None,
    size: str,
    subsampling: int,
    convert: bool,
) -> Speech:
    """Transcribed speech with a finished model as teacher; see ``config/distil.py`` for the arguments.

    :param audio: of the students; only rows with a CTC loss read its transcripts
    """
    sources = {"audio": audio, "dev": dev, "test": test}
    parts = {name: own_part(source, convert=convert) for name, source in sources.items()}
    text = on_disk(text)
    lexicon = lexicon and own_lexicon(lexicon, text=text, labelled=parts["audio"])
    model = {**own_teacher(teacher), "subsampling": subsampling}
    preset = replace(preset_of(size, subsampling=subsampling), teacher=model)
    labels = Labels(last_name(teacher), ModelInventoryJob(model=model).out_inventory, model.get("model"))
    sources = Sources(**parts, labelled=parts["audio"], text=text, lexicon=lexicon)
    from_audio = Distillation(audio_corpus(preset, sources, labels), preset)
    corpus = labelled_corpus(from_audio, sources, labels)
    return Speech(corpus, preset, (text,), None if lexicon else labels)
