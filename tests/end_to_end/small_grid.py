"""A config: teacher, baseline and a distilled row with tiny models, on the files that the test puts beside it."""

from sisyphus import tk

from ctc_kd.decoding.search import SearchConfig
from ctc_kd.experiments.blank_kd import blank_kd
from ctc_kd.experiments.corpora import Corpus
from ctc_kd.experiments.presets import Preset, Scales
from ctc_kd.experiments.rows import BASELINE, TEACHER, Row
from ctc_kd.training.training_config import TrainingConfig

STUDENT = {
    "class": "StudentCtc",
    "num_labels_with_blank": 79,
    "frontend": {"channels": [2, 2, 2, 2]},
    "conformer": {"num_layers": 1, "dim": 16, "num_heads": 2, "feed_forward_dim": 16, "kernel_size": 3},
}
PRESET = Preset(
    name="small",
    teacher={**STUDENT, "conformer": {**STUDENT["conformer"], "dim": 32}},
    teacher_training=TrainingConfig((2e-3,) * 4, partition_epoch=1, batch_seconds=4.0, keep_epochs=(3,)),
    teacher_candidates=(3, 4),
    student=STUDENT,
    student_training=TrainingConfig((1e-3,) * 4, partition_epoch=1, batch_seconds=4.0),
    temperature=2.0,
    normalisation="selected_frames",
    search=SearchConfig(beam_size=16),
    scales=Scales(lm=(0.5, 1.0), prior=(0.0, 0.5)),
    requests={"*": {"cpu": 1, "gpu": 0, "mem": 1}},
)


def files(pattern, parts):
    return {part: tk.Path(f"data/{pattern}".format(part)) for part in parts}


def py():
    parts = ("train", "dev", "test")
    corpus = Corpus(
        name="small",
        audio=files("{}.zip", parts),
        cuts=files("{}.jsonl.gz", parts),
        transcripts=files("{}.txt", parts),
        labels=files("{}_labels.hdf", ("train", "dev")),
        lexicon=tk.Path("data/lexicon.txt"),
        lm=tk.Path("data/lm.arpa"),
        lm_statistics={},
    )
    blank_kd(corpus, PRESET, [TEACHER, BASELINE, Row("symmetric", 1.0, 1)], name="grid")
