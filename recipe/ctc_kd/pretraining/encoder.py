"""Pre-trains the demo's teacher encoder to predict the phoneme of every frame, in the manner of HuBERT."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from sisyphus import Job, Task, tk

from ctc_kd.files import complete_folder, write_json


class PretrainEncoderJob(Job):
    """Pre-trains an encoder to predict a speech unit for every frame; writes it as a Hugging Face folder in float16.

    As in HuBERT, there is one unit per frame, and spans of frames are masked. Unlike in HuBERT, the units are the
    synthesiser's phonemes instead of cluster numbers, and unmasked frames count as well. The last shard of the speech
    is held out.

    :param speech: shards of a :class:`~ctc_kd.pretraining.speech.SynthesisePretrainingSpeechJob`
    :param encoder: fields of the transformers configuration, with ``model_type``; ``layerdrop`` has to be 0, since
        gradients of all layers are averaged over the workers
    :param passes: number of passes over the speech
    :param workers: processes that train with averaged gradients, one thread each
    :param batch_windows: windows in a batch of each process
    :param learning_rate: peak of the one-cycle schedule (a tenth of the steps up, the others down to zero)
    :param seed: of initialisation, order, masks and dropout
    """

    def __init__(
        self,
        *,
        speech: tk.Path,
        encoder: dict,
        passes: int,
        learning_rate: float,
        workers: int = 2,
        batch_windows: int = 8,
        seed: int = 1,
    ):
        self.speech = speech
        self.encoder = encoder
        self.passes = passes
        self.learning_rate = learning_rate
        self.workers = workers
        self.batch_windows = batch_windows
        self.seed = seed
        self.out_encoder = self.output_path("encoder", directory=True)
        self.out_curve = self.output_path("curve.json")
        self.rqmt = {"cpu": workers, "mem": 8, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        import torch

        from ctc_kd.pretraining.loop import Settings, load_checkpoint, train, write_encoder

        settings = Settings(
            speech=self.speech.get_path(),
            encoder=self.encoder,
            passes=self.passes,
            learning_rate=self.learning_rate,
            workers=self.workers,
            batch_windows=self.batch_windows,
            seed=self.seed,
            folder=os.getcwd(),
        )
        # Processes with one thread each are faster than one process with as many threads, above all on a busy machine.
        with TemporaryDirectory() as folder:  # not one where a killed run has left its rendezvous
            arguments = (settings, os.path.join(folder, "rendezvous"))
            torch.multiprocessing.spawn(train, args=arguments, nprocs=self.workers)
        state = load_checkpoint(settings)
        with complete_folder(self.out_encoder.get_path()) as folder:
            write_encoder(settings, state, folder)
        write_json(self.out_curve.get_path(), state["curve"])
