"""How often a student and its teacher have the same best label in a frame."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json


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
        from ctc_kd.analysis.frame_counts import FrameCounts
        from ctc_kd.analysis.paired import read_pairs

        pairs, counts = read_pairs(self.student.get_path(), self.teacher.get_path()), FrameCounts()
        for pair in pairs.paths.values():
            counts.add(pair.teacher.labels, pair.student.labels, blank=pairs.inventory.blank)
        agreement = {"utterances": len(pairs.paths), "left_out": pairs.left_out, **counts.agreement()}
        write_json(self.out_agreement.get_path(), agreement)
        print(agreement)
        self.out_share.set(agreement["share"])
        self.out_label_share.set(agreement["label_share"])
