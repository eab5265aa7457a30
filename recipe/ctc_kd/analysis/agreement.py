"""How often a student and its teacher have the same best label in a frame."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json

MOST_DIFFERENCE = 1
"""In frames: encoders of 50 Hz that are pooled by two may have one frame less than the student."""


class FrameAgreementJob(Job):
    """Counts the frames in which student and teacher have the same best label, in all utterances that both have.

    :param student, teacher: stores of logits or posteriors ``[T, C]`` of one inventory

    ``out_share``: percent of all frames. ``out_label_share``: percent of those in which the teacher's best label is not
    blank; None if there are none. ``out_agreement``: JSON: ``share, label_share``, the numbers of these ``frames`` and
    ``label_frames``, ``utterances``, and ``left_out``, the number of utterances that only one store has.
    """

    def __init__(self, *, student: tk.Path, teacher: tk.Path):
        self.student = student
        self.teacher = teacher
        self.out_share = self.output_var("share")
        self.out_label_share = self.output_var("label_share")
        self.out_agreement = self.output_path("agreement.json")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.inventory import check_same, inventory_of
        from ctc_kd.store import read_hdf

        paths = self.student.get_path(), self.teacher.get_path()
        inventory, expected = (inventory_of(path) for path in paths)
        check_same(inventory, expected, what=paths[0], whose=paths[1])
        student = {utterance: scores.argmax(axis=1) for utterance, scores in read_hdf(paths[0])}
        frames = equal = label_frames = equal_labels = utterances = only = 0
        for utterance, scores in read_hdf(paths[1]):
            if utterance not in student:
                only += 1
                continue
            utterances += 1
            theirs, ours = of_equal_length(utterance, scores.argmax(axis=1), student[utterance])
            same, spoken = theirs == ours, theirs != inventory.blank
            frames, equal = frames + len(same), equal + int(same.sum())
            label_frames, equal_labels = label_frames + int(spoken.sum()), equal_labels + int((same & spoken).sum())
        if not frames:
            raise ValueError(f"{paths[0]} and {paths[1]}: no frames to compare, expected stores of the same utterances")
        agreement = {
            "utterances": utterances,
            "left_out": only + len(student) - utterances,
            "frames": frames,
            "share": 100 * equal / frames,
            "label_frames": label_frames,
            "label_share": 100 * equal_labels / label_frames if label_frames else None,
        }
        write_json(self.out_agreement.get_path(), agreement)
        print(agreement)
        self.out_share.set(agreement["share"])
        self.out_label_share.set(agreement["label_share"])


def of_equal_length(utterance: str, *frames):
    """Cuts two arrays ``[T]`` to the shorter one.

    :raises ValueError: one is longer by more than :data:`MOST_DIFFERENCE`
    """
    lengths = sorted(map(len, frames))
    if lengths[1] - lengths[0] > MOST_DIFFERENCE:
        raise ValueError(
            f"utterance {utterance} has {len(frames[0])} frames of the teacher and {len(frames[1])} of the student, "
            "expected the same frame shift"
        )
    return (array[: lengths[0]] for array in frames)
