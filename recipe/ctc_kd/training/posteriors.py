"""Posteriors of a checkpoint, computed once for all searches."""

from __future__ import annotations

from typing import Any

from sisyphus import Job, Task, tk

from ctc_kd.training.build import check_forward


class PosteriorsJob(Job):
    """Computes fp16 log posteriors ``[T, C]`` of the recognition sets, and the label prior, in one forward pass.

    The prior is the mean posterior over all frames of ``prior_audio``, as log probabilities, one per line.

    :param model: class and config of the model, see ``build.build_model``
    :param checkpoint: weights of the model; None for a finished model, which brings its own
    :param audio: name of a recognition set -> archive by ``OggZipJob``; several names may have one archive, but no
        utterance may be in two archives
    :param prior_audio: archive of the training audio
    :param inventory: what the outputs of the model stand for; None for the phonemes
    """

    __sis_hash_exclude__ = {"inventory": None}

    def __init__(
        self,
        *,
        model: dict[str, Any],
        checkpoint: tk.Path | None,
        audio: dict[str, tk.Path],
        prior_audio: tk.Path,
        inventory: tk.Path | None = None,
    ):
        check_forward(model, checkpoint=checkpoint, inventory=inventory)
        self.model = model
        self.checkpoint = checkpoint
        self.audio = audio
        self.prior_audio = prior_audio
        self.inventory = inventory

        self.out_posteriors = {name: self.output_path(f"{name}.hdf") for name in audio}
        self.out_prior = self.output_path("log_prior.txt")

        self.rqmt = {"gpu": 1, "cpu": 4, "mem": 24, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.training.datasets import utterance_durations
        from ctc_kd.training.forward import run_forward
        from ctc_kd.training.outputs import inventory_and_model

        archives = {name: path.get_path() for name, path in self.audio.items()}
        prior_archive = self.prior_audio.get_path()
        distinct = list(dict.fromkeys([*archives.values(), prior_archive]))
        num_utterances = len(utterance_durations(distinct))
        inventory, model = inventory_and_model(self.inventory, self.model)
        options = {
            "labels": list(inventory.labels),
            "metadata": {"inventory": inventory.facts()},
            "outputs": {
                self.out_posteriors[name].get_path(): list(utterance_durations([path]))
                for name, path in archives.items()
            },
            "prior_utterances": list(utterance_durations([prior_archive])),
            "prior": self.out_prior.get_path(),
            "num_utterances": num_utterances,
        }
        run_forward(
            model=model,
            checkpoint=self.checkpoint and self.checkpoint.get_path(),
            archives=distinct,
            callback="WritePosteriors",
            options=options,
            rqmt=self.rqmt,
        )
