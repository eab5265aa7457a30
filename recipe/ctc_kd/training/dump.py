"""The teacher's logits, computed once for all students."""

from __future__ import annotations

import os
from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.training.build import check_forward

SHARD_SIZE = 1024  # utterances; a multiple of the batch size, so that a resumed dump has the same batches


class DumpLogitsJob(Job):
    """Stores fp16 logits ``[T, C]`` by utterance id, of a checkpoint or of a finished model, without augmentation.

    Logits do not depend on the batch: if padding changes those of the model, each utterance is computed alone. The job
    refuses logits that are NaN, infinite or too large for fp16, as those of a diverged model, and names the utterance.
    After a kill it resumes behind the last complete shard, and its results equal those of an undisturbed run. A
    finished model that says only blank of all audio is refused, see :func:`check_speaks`.

    :param model: class and config of the model, see ``build.build_model``
    :param checkpoint: weights of the model; None for a finished model, which brings its own
    :param audio: archives by ``OggZipJob``
    :param inventory: what the outputs of the model stand for; None for the phonemes
    """

    __sis_hash_exclude__ = {"inventory": None}

    def __init__(
        self,
        *,
        model: dict[str, Any],
        checkpoint: tk.Path | None,
        audio: list[tk.Path],
        inventory: tk.Path | None = None,
    ):
        check_forward(model, checkpoint=checkpoint, inventory=inventory)
        self.model = model
        self.checkpoint = checkpoint
        self.audio = audio
        self.inventory = inventory
        self.teacher_job = None  # a finished model says itself which it is
        if checkpoint is not None:
            self.teacher_job = checkpoint.creator.job_id() if checkpoint.creator else checkpoint.rel_path()

        self.out_logits = self.output_path("logits", directory=True)

        self.rqmt = {"gpu": 1, "cpu": 4, "mem": 24, "time": 24}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.store import read_utterances
        from ctc_kd.training.datasets import utterance_durations

        archives = list(dict.fromkeys(path.get_path() for path in self.audio))
        folder = self.out_logits.get_path()
        done = set(read_utterances(folder))
        todo = [utterance for utterance in utterance_durations(archives) if utterance not in done]
        print(f"{len(done)} utterances are dumped, {len(todo)} remain", flush=True)
        if todo:
            self._dump(todo, archives)
        if self.checkpoint is None:  # nobody has measured its errors before
            check_speaks(folder)

    def _dump(self, todo: list[str], archives: list[str]):
        from ctc_kd.store import hdf_files
        from ctc_kd.training.forward import run_forward
        from ctc_kd.training.outputs import inventory_and_model

        folder = self.out_logits.get_path()
        with open("todo", "w") as file:
            file.write("".join(f"{utterance}\n" for utterance in todo))
        inventory, model = inventory_and_model(self.inventory, self.model)
        options = {
            "folder": folder,
            "first_shard": len(hdf_files(folder)),
            "shard_size": SHARD_SIZE,
            "num_utterances": len(todo),
            "labels": list(inventory.labels),
            "metadata": {"teacher_job": self.teacher_job, "inventory": inventory.facts()},
        }
        run_forward(
            model=model,
            checkpoint=self.checkpoint and self.checkpoint.get_path(),
            archives=archives,
            callback="DumpLogits",
            options=options,
            rqmt=self.rqmt,
            seq_list_filter_file=os.path.abspath("todo"),
        )


def check_speaks(store: str):
    """Reads logits up to the first label.

    :raises ValueError: the best path of every utterance is silent, so that students could only learn silence
    """
    from ctc_kd.inventory import inventory_of
    from ctc_kd.scoring.label_errors import label_sequences
    from ctc_kd.store import read_metadata

    if not any(labels for _, labels in label_sequences(store, inventory_of(store))):
        raise ValueError(
            f"{store}: blank is all that {read_metadata(store)['teacher_job']} says of the audio. Expected speech in a "
            "language that this teacher knows: listen to some of the audio, or take another teacher"
        )
