"""The model card of an exported student."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.machine import processor
from ctc_kd.methods import METHODS
from ctc_kd.nn.config import StudentConfig
from ctc_kd.report import names
from ctc_kd.report.record import Record, Score

USE = """## Use

    pip install {checkout}    # of the repository of ctc-kd
    ctc-kd transcribe FOLDER RECORDING ...

FOLDER is this folder. `--greedy` takes the most probable label of each frame, `--format` is `text`, `json`, `srt` or
`ctm`. In Python:

```python
from ctc_kd.recognition.recogniser import Recogniser

for segment in Recogniser.from_folder(FOLDER).transcribe(samples, sample_rate_hz=16000):
    print(segment.text, segment.words)
```
"""

CLIENTS = """Other programs find labels as `--greedy` does. `model.onnx` takes a waveform; with `tokens.txt` sherpa-onnx
runs it (`OfflineRecognizer.from_omnilingual_asr_ctc`), and `model.int8.onnx` is smaller. transformers loads the folder:
`pipeline("automatic-speech-recognition", model=FOLDER, trust_remote_code=True)`.
"""

LIMITS = """## Limits

- It was trained and measured on the corpus above; other voices, microphones, topics and noise cost accuracy.
- It needs whole recordings: there is no streaming.
- Times of words are those of the frames in which the model says them, which CTC does not tie to the ends of sounds.
"""

LEXICON_LIMIT = "- With its decoder it finds only words of `lexicon.txt`. New words go there with their labels.\n"


@dataclass(frozen=True)
class ModelFacts:
    """
    :param num_parameters: size of the model
    :param model_rtf: see :func:`ctc_kd.recognition.cost.model_rtf`
    :param config: of the model, see ``nn.config``
    :param has_lexicon: whether its decoder searches for words of a lexicon
    :param has_clients: whether the folder has files for other programs
    """

    num_parameters: int
    model_rtf: float
    config: Any
    has_lexicon: bool
    has_clients: bool


@dataclass(frozen=True, kw_only=True)
class Card:
    """What every exported model says.

    :param corpus: what it was trained on
    :param notes: sentences on data and training
    :param job: id of the job that wrote the folder
    """

    corpus: str
    notes: Sequence[str]
    job: str

    def markdown(self, model: ModelFacts) -> str:
        limits = LIMITS + LEXICON_LIMIT * model.has_lexicon
        clients = CLIENTS if model.has_clients else ""
        use = USE.format(checkout="CHECKOUT" if isinstance(model.config, StudentConfig) else "'CHECKOUT[export]'")
        parts = [self._head(model), self._facts(), self._error_rates(), f"{use}\n{clients}", limits, self._origin()]
        return "\n\n".join(part.strip() for part in parts if part) + "\n"

    def _head(self, model: ModelFacts) -> str:
        labels, megabytes = model.config.num_labels_with_blank, 4 * model.num_parameters / 1e6
        return (
            f"# A CTC model of {SAMPLE_RATE_HZ // 1000} kHz speech, trained on {self.corpus}\n\n"
            f"{names.count(model.num_parameters)} parameters, {megabytes:.1f} MB, {labels} labels with blank. A second "
            f"of audio takes the acoustic model {1000 * model.model_rtf:.1f} ms on one thread of {processor()}."
        )

    def _facts(self) -> str:
        return "\n".join(f"- {note}" for note in self.notes)

    def _error_rates(self) -> str:
        return ""

    def _origin(self) -> str:
        return _origin({"export": self.job})


@dataclass(frozen=True, kw_only=True)
class RecordedCard(Card):
    """The card of a row of a grid.

    :param record: of the exported row
    :param others: records of rows to compare with
    :param interval: 95 % interval of the error rate on test; None if it is unknown
    :param teacher: its name
    """

    record: Record
    others: Sequence[Record]
    interval: Sequence[float] | None
    teacher: str

    def _facts(self) -> str:
        record, method = self.record, METHODS[self.record.method]
        lines = [f"- Row `{record.row}` of preset `{record.preset}`: {names.row_name(record)}."]
        if method.distils:
            at = "" if record.temperature is None else f", at temperature {record.temperature:g}"
            lines.append(f"- Teacher: {self.teacher}{at}.")
        heard = "read transcripts" if record.uses_transcripts else "read no transcript"
        lines.append(f"- Its training {heard}.")
        return "\n".join([*lines, super()._facts()])

    def _error_rates(self) -> str:
        unit = self.record.dev.unit
        rows = [self.record, *self.others]
        lines = [[names.row_name(row), *(_rate(score) for score in (row.dev, row.test))] for row in rows]
        table = names.markdown([f"errors per 100 {unit}", "dev", "test"], lines)
        test, interval = self.record.test, ""
        if test and self.interval:
            low, high = self.interval
            interval = f" The 95 % interval over speakers is {low:.1f} to {high:.1f}."
        scales = f"scales of language model and prior {self.record.lm_scale:g} and {self.record.prior_scale:g}"
        how = f"With the decoder of this folder, {scales}, which dev chose."
        size = f" Test has {test.utterances} utterances and {test.words} {unit}." if test else ""
        return f"## Error rates\n\n{table}\n{how}{size}{interval}"

    def _origin(self) -> str:
        return _origin({**self.record.job_ids, "export": self.job})


def _origin(jobs: dict[str, str]) -> str:
    return "## Origin\n\n" + "\n".join(f"- {what}: `{job}`" for what, job in jobs.items())


def _rate(score: Score | None) -> str:
    return names.wer(score and score.wer)
