"""Word or character error rate of hypotheses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from unicodedata import normalize

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json, write_lines

if TYPE_CHECKING:
    from ctc_kd.inventory import Inventory

ERROR_RATES = {"words": "WER", "characters": "CER"}
"""What errors are counted in, and what their rate is called."""


class ScoreJob(Job):
    """Compares hypotheses with references word by word and adds up the errors of all utterances, as ``sclite`` does.

    Both are transcript files with the same utterances.

    :param inventory: how both are written before they are compared; None for upper case, as words with phonemes are
    :param unit: what is compared, see :func:`units_of`

    ``out_wer``: percent of these units. ``out_counts``: JSON. ``out_alignments``: text, a block for each utterance.
    """

    __sis_hash_exclude__ = {"inventory": None, "unit": "words"}

    def __init__(
        self, *, hypotheses: tk.Path, references: tk.Path, inventory: tk.Path | None = None, unit: str = "words"
    ):
        check_unit(unit)
        self.hypotheses = hypotheses
        self.references = references
        self.inventory = inventory
        self.unit = unit
        self.out_wer = self.output_var("wer")
        self.out_counts = self.output_path("counts.json")
        self.out_alignments = self.output_path("alignments.txt")
        self.rqmt = {"cpu": 1, "mem": 1, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.corpus.transcripts import read_normalised
        from ctc_kd.inventory import read_inventory
        from ctc_kd.scoring.alignment import Counts, align, count

        inventory = self.inventory and self.inventory.get_path()
        references = read_normalised(self.references.get_path(), inventory)
        hypotheses = read_normalised(self.hypotheses.get_path(), inventory)
        check_utterances(references, hypotheses, names=(self.references.get_path(), self.hypotheses.get_path()))
        if inventory:
            print_unspelled(references, read_inventory(inventory), where=self.references.get_path())
        alignments = {
            name: align(units_of(text, self.unit), units_of(hypotheses[name], self.unit))
            for name, text in references.items()
        }
        counts = sum(map(count, alignments.values()), Counts())

        write_alignments(self.out_alignments.get_path(), alignments, unit=self.unit)
        summary = {
            "wer": counts.wer,
            **vars(counts),
            "words": counts.words,
            "utterances": len(references),
            "unit": self.unit,
        }
        write_json(self.out_counts.get_path(), summary)
        print(summary)
        self.out_wer.set(counts.wer)


def print_unspelled(references: Mapping[str, str], inventory: Inventory, *, where: str):
    """Warns of words that labels do not spell, such as those with punctuation or digits."""
    if inventory.kind == "phonemes":
        return
    spelled = set(normalize("NFD", "".join(inventory.index)))
    words = [word for text in references.values() for word in text.split()]
    other = [word for word in words if not spelled.issuperset(normalize("NFD", word))]
    if other:
        shown = " ".join(map(repr, dict.fromkeys(other[:10])))
        print(
            f"WARNING: {where}: {len(other)} of {len(words)} words have characters that no label spells, so they are "
            f"likely to count as errors: {shown}"
        )


def units_of(text: str, unit: str) -> list[str]:
    """The words of a text, or its characters without the spaces, for languages that write none between words."""
    return text.split() if unit == "words" else list("".join(text.split()))


def check_unit(unit: str):
    if unit not in ERROR_RATES:
        raise ValueError(f"unit is {unit!r}, expected one of {', '.join(ERROR_RATES)}")


def check_utterances(expected: Mapping[str, str], found: Mapping, *, names: tuple[str, str]):
    """
    :param expected: references
    :param found: hypotheses or posteriors
    :param names: of their files
    :raises ValueError: the utterances differ (the error names up to ten of them), or the references have no words
    """
    if not any(text.split() for text in expected.values()):
        raise ValueError(f"{names[0]}: no words to compare with")
    problems = [f"{utterance} is missing" for utterance in expected if utterance not in found]
    problems += [f"{utterance} is unexpected" for utterance in found if utterance not in expected]
    if problems:
        shown = ", ".join(problems[:10]) + (f" and {len(problems) - 10} more" if len(problems) > 10 else "")
        raise ValueError(f"{names[1]}: not the utterances of {names[0]}: {shown}")


def write_alignments(path: str, alignments: Mapping, *, unit: str):
    """``utterance -> pairs`` as text: counts, and the two sequences below each other with the errors marked."""
    write_lines(path, ("\n".join(_block(utterance, pairs, unit)) + "\n" for utterance, pairs in alignments.items()))


def _block(utterance: str, pairs, unit: str) -> Iterator[str]:
    from ctc_kd.scoring.alignment import count

    counts = count(pairs)
    yield f"{utterance}: {counts.words} {unit}, S {counts.substitutions}, D {counts.deletions}, I {counts.insertions}"
    columns = [(ref or "*", hyp or "*", _mark(ref, hyp)) for ref, hyp in pairs]
    for name, line in zip(("REF: ", "HYP: ", "     "), zip(*columns, strict=True), strict=False):
        words = (word.ljust(max(map(len, column))) for word, column in zip(line, columns, strict=True))
        yield f"{name}{' '.join(words)}".rstrip()


def _mark(reference: str | None, hypothesis: str | None) -> str:
    if reference == hypothesis:
        return ""
    return "I" if reference is None else "D" if hypothesis is None else "S"
