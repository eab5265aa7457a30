"""Is a difference in WER more than chance? A paired bootstrap over the speakers of the evaluation set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 10_000
SEED = 1
FEW_SPEAKERS = 5
"""With fewer speakers, the spread between them is not known well enough for an interval."""


class SignificanceJob(Job):
    """Compares rows of a table by their difference in WER.

    A sample draws as many speakers as there are, with replacement, and takes all their utterances, because errors of
    one speaker are not independent. All rows are scored on the same samples. The WER of a row with several seeds is the
    mean over its seeds.

    :param references: transcripts of the set
    :param cuts: manifest of the set, with the speakers
    :param hypotheses: row -> transcripts, one file for each seed
    :param against: row -> the rows it is compared with

    ``out_significance``: JSON: ``samples, speakers, utterances, words``; ``reliable``: False with few speakers;
    ``wer``: row -> percent; ``comparisons``: a list of ``row, against, difference`` (WER points, negative if ``row`` is
    better), ``low, high`` (95 % interval) and ``p`` (two-sided: twice the share of samples on the other side of 0).
    """

    def __init__(
        self,
        *,
        references: tk.Path,
        cuts: tk.Path,
        hypotheses: dict[str, Sequence[tk.Path]],
        against: dict[str, Sequence[str]],
    ):
        mentioned = [row for pair in against.items() for row in (pair[0], *pair[1])]
        if unknown := sorted(set(mentioned) - set(hypotheses)):
            raise ValueError(f"no hypotheses of {', '.join(unknown)}; expected only {', '.join(hypotheses)}")
        self.references = references
        self.cuts = cuts
        self.hypotheses = hypotheses
        self.against = against
        self.out_significance = self.output_path("significance.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import numpy as np

        from ctc_kd.corpus.transcripts import read_transcripts

        references = read_transcripts(self.references.get_path())
        speakers = self._speakers(references)
        names = sorted(set(speakers.values()))
        index = np.array([names.index(speaker) for speaker in speakers.values()])
        words = np.bincount(index, weights=[len(text.split()) for text in references.values()])
        if silent := [name for name, number in zip(names, words, strict=True) if not number]:
            raise ValueError(f"{self.references.get_path()}: no words of {', '.join(silent)} to compare with")
        rows = list(self.hypotheses)
        errors = [np.bincount(index, weights=self._errors(row, references)) for row in rows]
        samples = draws(len(names), SAMPLES, SEED)
        sampled = dict(zip(rows, resampled_wers(samples, errors, words), strict=True))
        wers = {row: 100 * row_errors.sum() / words.sum() for row, row_errors in zip(rows, errors, strict=True)}
        result = {
            "samples": SAMPLES,
            "speakers": len(names),
            "reliable": len(names) >= FEW_SPEAKERS,
            "utterances": len(references),
            "words": int(words.sum()),
            "wer": wers,
            "comparisons": [
                {"row": row, "against": other, **compare(wers[row] - wers[other], sampled[row] - sampled[other])}
                for row, others in self.against.items()
                for other in others
            ],
        }
        write_json(self.out_significance.get_path(), result)
        print(f"{len(result['comparisons'])} comparisons over {len(names)} speakers")
        if not result["reliable"]:
            print(f"warning: with fewer than {FEW_SPEAKERS} speakers the intervals are not reliable")

    def _speakers(self, references: Mapping[str, str]) -> dict[str, str]:
        """Utterance -> speaker, in the order of the references."""
        from ctc_kd.corpus.cuts import read_cuts
        from ctc_kd.corpus.problems import refuse

        path = self.cuts.get_path()
        found = {cut.id: cut.supervisions[0].speaker for cut in read_cuts(path)}
        problems = [f"{utterance}: no speaker" for utterance in references if not found.get(utterance)]
        refuse(problems, where=path, remedy=f"Expected cuts of all utterances of {self.references.get_path()}.")
        return {utterance: found[utterance] for utterance in references}

    def _errors(self, row: str, references: Mapping[str, str]) -> list[float]:
        """Errors of each utterance, the mean over seeds."""
        from ctc_kd.corpus.transcripts import read_transcripts
        from ctc_kd.scoring.alignment import align, count
        from ctc_kd.scoring.score import check_utterances

        sums = [0.0] * len(references)
        for path in self.hypotheses[row]:
            hypotheses = read_transcripts(path.get_path())
            check_utterances(references, hypotheses, names=(self.references.get_path(), path.get_path()))
            for number, (utterance, text) in enumerate(references.items()):
                sums[number] += count(align(text.split(), hypotheses[utterance].split())).errors
        return [total / len(self.hypotheses[row]) for total in sums]


def draws(speakers: int, samples: int, seed: int) -> np.ndarray:
    """How often each speaker occurs in each sample, ``[samples, speakers]``."""
    import numpy as np

    return np.random.default_rng(seed).multinomial(speakers, [1 / speakers] * speakers, size=samples)


def resampled_wers(samples: np.ndarray, errors: Sequence[np.ndarray], words: np.ndarray) -> np.ndarray:
    """WER of each row in each sample, ``[rows, samples]``, in percent.

    :param samples: ``[samples, speakers]``
    :param errors: for each row ``[speakers]``
    :param words: ``[speakers]``
    """
    import numpy as np

    return 100 * (np.stack(errors) @ samples.T) / (samples @ words)


def compare(difference: float, sampled: np.ndarray) -> dict[str, float]:
    """The interval and p of one difference.

    :param sampled: the difference in each sample
    """
    import numpy as np

    low, high = np.percentile(sampled, [2.5, 97.5])
    other_side = min(np.mean(sampled <= 0), np.mean(sampled >= 0))
    return {
        "difference": float(difference),
        "low": float(low),
        "high": float(high),
        "p": float(min(1.0, 2 * other_side)),
    }
