"""Several teachers as one: the mean of their posteriors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sisyphus import Job, Task, tk

if TYPE_CHECKING:
    import numpy as np


class MeanPosteriorsJob(Job):
    """Stores the log of the mean of the posteriors of several teachers, for each frame, as logits.

    An utterance gets as many frames as the teacher with the fewest has; they may differ by one.

    :param logits: stores by ``DumpLogitsJob`` of the same audio, at least two
    :raises ValueError: the stores differ in their labels, their frame shift or, by more than half a frame, in the time
        of their first frame; or in their utterances. The message names two stores
    """

    def __init__(self, *, logits: list[tk.Path]):
        if len(logits) < 2:
            raise ValueError(f"a mean of the posteriors of {len(logits)} teachers: expected at least two")
        self.logits = logits
        self.out_logits = self.output_path("logits", directory=True)
        self.rqmt = {"cpu": 1, "mem": 4, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from itertools import count, islice

        import numpy as np

        from ctc_kd.inventory import inventory_of
        from ctc_kd.store import HdfWriter
        from ctc_kd.training.dump import SHARD_SIZE

        stores = [path.get_path() for path in self.logits]
        metadata, inventory = common_metadata(stores), inventory_of(stores[0])
        utterances = means(stores)
        for shard in count():
            if not (some := list(islice(utterances, SHARD_SIZE))):
                return
            path = f"{self.out_logits.get_path()}/shard.{shard:05d}.hdf"
            with HdfWriter(path, labels=inventory.labels, metadata=metadata) as writer:
                for utterance, mean in some:
                    writer.add(utterance, mean.astype(np.float16))
            print(f"{shard * SHARD_SIZE + len(some)} utterances", flush=True)


def common_metadata(stores: Sequence[str]) -> dict:
    """The metadata of the mean.

    :raises ValueError: two stores cannot be averaged
    """
    from ctc_kd.inventory import check_same, inventory_of
    from ctc_kd.store import read_metadata

    first, *others = facts = [read_metadata(store) for store in stores]
    inventory = inventory_of(stores[0])
    for store, other in zip(stores[1:], others, strict=True):
        check_same(inventory_of(store), inventory, what=store, whose=stores[0])
        if other["frame_shift_s"] != first["frame_shift_s"]:
            raise ValueError(
                f"{store}: the frame shift is {other['frame_shift_s']} s, but that of {stores[0]} is "
                f"{first['frame_shift_s']} s"
            )
        distance_s = abs(other["first_centre_s"] - first["first_centre_s"])
        if distance_s > first["frame_shift_s"] / 2:
            raise ValueError(
                f"{store}: frames lie {1000 * distance_s:.1f} ms from those of {stores[0]}, expected at most half of "
                "their length"
            )
    return {
        "teacher_job": "mean of " + ", ".join(str(fact["teacher_job"]) for fact in facts),
        "frame_shift_s": first["frame_shift_s"],
        "first_centre_s": sum(fact["first_centre_s"] for fact in facts) / len(facts),
        "inventory": inventory.facts(),
    }


def means(stores: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields ``(utterance id, log of the mean posterior [T, C])``.

    :raises ValueError: the stores have other utterances, or numbers of frames that differ by more than one
    """
    from itertools import zip_longest

    import numpy as np

    from ctc_kd.store import read_hdf

    for together in zip_longest(*map(read_hdf, stores), fillvalue=(None, ())):
        utterance, first = together[0]
        for store, (other, logits) in zip(stores, together, strict=True):
            if other != utterance or abs(len(logits) - len(first)) > 1:
                raise ValueError(
                    f"{store}: utterance {other} with {len(logits)} frames, but {stores[0]} has {utterance} with "
                    f"{len(first)} there. Dump the same audio with all teachers"
                )
        num_frames = min(len(logits) for _, logits in together)
        logs = [_log_softmax(logits[:num_frames].astype("float32")) for _, logits in together]
        yield utterance, np.logaddexp.reduce(logs) - np.log(len(logs)).astype("float32")


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    import numpy as np

    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
