"""Label error rate: what a model's best path says, without language model, against label sequences or another model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json

if TYPE_CHECKING:
    from ctc_kd.inventory import Inventory


class LabelErrorRateJob(Job):
    """Compares the labels of two stores, and adds up the errors of all utterances that both have.

    A store has label sequences, logits or posteriors. Of logits and posteriors the best label of each frame counts,
    without repetitions and blanks. So the references may be those of transcripts or what a teacher says. Labels that
    no text has do not count.

    :param hypotheses, references: of one inventory

    ``out_rate``: percent of the references' labels; None if they have none, as those of a silent teacher.
    ``out_counts``: JSON: ``rate, substitutions, deletions, insertions, hits, labels, utterances`` and ``left_out``, the
    number of utterances that only one store has.
    """

    def __init__(self, *, hypotheses: tk.Path, references: tk.Path):
        self.hypotheses = hypotheses
        self.references = references
        self.out_rate = self.output_var("rate")
        self.out_counts = self.output_path("counts.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.inventory import check_same, inventory_of
        from ctc_kd.scoring.alignment import Counts, align, count

        paths = self.hypotheses.get_path(), self.references.get_path()
        inventory, expected = (inventory_of(path) for path in paths)
        check_same(inventory, expected, what=paths[0], whose=paths[1])
        hypotheses = dict(label_sequences(paths[0], inventory))
        counts, utterances, only = Counts(), 0, 0
        for utterance, labels in label_sequences(paths[1], inventory):
            if utterance not in hypotheses:
                only += 1
                continue
            counts += count(align(labels, hypotheses[utterance]))
            utterances += 1
        if not utterances:
            raise ValueError(f"{paths[0]} and {paths[1]}: no utterance is in both, expected stores of one set")
        rate = counts.wer if counts.words else None
        summary = {
            "rate": rate,
            **vars(counts),
            "labels": counts.words,
            "utterances": utterances,
            "left_out": only + len(hypotheses) - utterances,
        }
        write_json(self.out_counts.get_path(), summary)
        print(summary)
        if rate is None:
            print(
                f"no rate: blank is all that {paths[1]} says of {utterances} utterances; compare on others, with speech"
            )
        self.out_rate.set(rate)


def label_sequences(store: str, inventory: Inventory) -> Iterator[tuple[str, list[int]]]:
    """``(utterance, labels)`` of a store, see :class:`LabelErrorRateJob`."""
    from ctc_kd.store import read_hdf

    unspoken = {inventory.labels.index(label) for label in inventory.unspoken}
    for utterance, array in read_hdf(store):
        labels = array.tolist() if array.ndim == 1 else inventory.collapsed(array.argmax(axis=1).tolist())
        yield utterance, [label for label in labels if label not in unspoken]
