"""How a student's alignment differs from its teacher's: frames, spikes, blank and label errors."""

from __future__ import annotations

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json


class AlignmentJob(Job):
    """Compares the best path of a student with that of its teacher, in all utterances that both have.

    A row of an experiment, or two heads of one model: whatever has two stores with the same labels and frame shift. A
    spike is a run of frames with one best label, and lies where that label's posterior is highest.

    :param student, teacher: stores of logits or posteriors ``[T, C]`` of one inventory

    ``out_alignment``: JSON: ``utterances``, ``left_out`` (those that only one store has), and the summaries of
    :class:`ctc_kd.analysis.frame_counts.FrameCounts` and :class:`ctc_kd.analysis.spike_offsets.SpikeOffsets`. Its main
    figures are Variables, too; they are None where the teacher says no label, or where no label is said by both:

    - ``out_share``, ``out_label_share``: percent of frames, and of the teacher's label frames, with its best label
    - ``out_spike_error``: percent of the teacher's label frames in which the student's best label differs
    - ``out_blank_surplus``: points by which the student's share of blank frames exceeds the teacher's
    - ``out_exact``, ``out_within_one``: percent of the labels that both say, in the same frame, or one frame away
    - ``out_mean_offset``: frames by which the student says them later, on average
    - ``out_label_errors``: the student's label errors in percent of the teacher's labels
    """

    def __init__(self, *, student: tk.Path, teacher: tk.Path):
        self.student = student
        self.teacher = teacher
        self.out_alignment = self.output_path("alignment.json")
        self.out_share = self.output_var("share")
        self.out_label_share = self.output_var("label_share")
        self.out_spike_error = self.output_var("spike_error")
        self.out_blank_surplus = self.output_var("blank_surplus")
        self.out_exact = self.output_var("exact")
        self.out_within_one = self.output_var("within_one")
        self.out_mean_offset = self.output_var("mean_offset")
        self.out_label_errors = self.output_var("label_errors")
        self.rqmt = {"cpu": 1, "mem": 4, "time": 2}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.analysis.frame_counts import FrameCounts
        from ctc_kd.analysis.paired import read_pairs
        from ctc_kd.analysis.spike_offsets import SpikeOffsets

        pairs = read_pairs(self.student.get_path(), self.teacher.get_path())
        inventory = pairs.inventory
        unspoken = {inventory.labels.index(label) for label in inventory.unspoken}
        frames, spikes = FrameCounts(), SpikeOffsets()
        for pair in pairs.paths.values():
            frames.add(pair.teacher.labels, pair.student.labels, blank=inventory.blank)
            spikes.add(pair, blank=inventory.blank, unspoken=unspoken)
        found = {"utterances": len(pairs.paths), "left_out": pairs.left_out, **frames.summary(), **spikes.summary()}
        write_json(self.out_alignment.get_path(), found)
        print(found)
        for name, output in vars(self).items():
            if isinstance(output, tk.Variable):
                output.set(found[name.removeprefix("out_")])
