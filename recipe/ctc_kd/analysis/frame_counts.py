"""In how many frames a student has its teacher's best label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class FrameCounts:
    """Running counts over utterances.

    Attributes:
        frames: all of them
        equal: with the same best label
        label_frames: where the teacher's best label is not blank
        equal_labels: of those, with the same best label
        missed_labels: of those, where the student's best label is blank
        student_label_frames: where the student's best label is not blank
    """

    frames: int = 0
    equal: int = 0
    label_frames: int = 0
    equal_labels: int = 0
    missed_labels: int = 0
    student_label_frames: int = 0

    def add(self, teacher: np.ndarray, student: np.ndarray, *, blank: int):
        """:param teacher, student: ``[T]``, the best label of each frame of one utterance"""
        same, spoken, said = teacher == student, teacher != blank, student != blank
        self.frames += len(same)
        self.equal += int(same.sum())
        self.label_frames += int(spoken.sum())
        self.equal_labels += int((same & spoken).sum())
        self.missed_labels += int((spoken & ~said).sum())
        self.student_label_frames += int(said.sum())

    def agreement(self) -> dict:
        """``share`` of frames, and ``label_share`` of the teacher's label frames, in percent; None if it has none."""
        return {
            "frames": self.frames,
            "share": 100 * self.equal / self.frames,
            "label_frames": self.label_frames,
            "label_share": percent(self.equal_labels, self.label_frames),
        }

    def summary(self) -> dict:
        """The agreement, and in percent:

        - ``spike_error``: the teacher's label frames in which the student's best label is another or blank
        - ``missed``: those in which it is blank
        - ``blank``: the student's frames of blank, and ``teacher_blank``
        - ``blank_surplus``: by how many points the first exceeds the second
        """
        blank, teacher_blank = (
            100 * (self.frames - number) / self.frames for number in (self.student_label_frames, self.label_frames)
        )
        return {
            **self.agreement(),
            "spike_error": percent(self.label_frames - self.equal_labels, self.label_frames),
            "missed": percent(self.missed_labels, self.label_frames),
            "blank": blank,
            "teacher_blank": teacher_blank,
            "blank_surplus": blank - teacher_blank,
        }


def percent(part: int, whole: int) -> float | None:
    """None for a part of nothing."""
    return 100 * part / whole if whole else None
