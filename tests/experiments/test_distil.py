"""Students of a finished teacher: what is declared for which sources, and who reads transcripts."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.experiments import distil as experiment
from ctc_kd.experiments.corpora import Part
from ctc_kd.experiments.demo_stranger import demo_sources, demo_stranger
from ctc_kd.experiments.distil import Sources, distil
from ctc_kd.experiments.distil_sizes import SIZES
from ctc_kd.experiments.export import name_of
from ctc_kd.experiments.requests import jobs_behind
from ctc_kd.training.train import TrainJob

TEACHER = {"class": "TransformersCtc", "model": "somebody/model"}
AUDIO = Part(tk.Path("audio.jsonl.gz"), None)
SPOKEN = Part(tk.Path("spoken.jsonl.gz"), tk.Path("spoken.txt"))


@pytest.fixture(autouse=True)
def outputs(monkeypatch):
    """Name -> path of what is registered."""
    found = {}
    monkeypatch.setattr(experiment, "register_outputs", lambda outputs, requests: found.update(outputs))
    return found


@pytest.fixture
def declared(outputs):
    """``declared(sources, teacher)``: the job of the report, and the trainings by the rows' names."""

    def run(sources, teacher=TEACHER):
        outputs.clear()
        distil(teacher, sources, SIZES["tiny"], name="mine")
        start = "distil/mine/students/"
        names = {name: name.removeprefix(start).removesuffix(".pt") for name in outputs if name.endswith(".pt")}
        return outputs["distil/mine/report"].creator, {row: outputs[name].creator for name, row in names.items()}

    return run


def test_audio_alone_is_enough(declared):
    report, trainings = declared(Sources(AUDIO))
    assert list(trainings) == ["all-l1", "eliminate-l1", "symmetric-n1-l1", "symmetric-n2-l1", "symmetric-n3-l1"]
    assert report.teachers == ["Teacher", "Teacher, pooled"]
    assert list(report.rows)[2:] == [
        "Plain KD at λ = 1.0",
        "Blank elimination at λ = 1.0",
        *(f"Symmetric selection with n = {n} at λ = 1.0" for n in (1, 2, 3)),
    ]
    for row in list(report.rows)[2:]:
        assert list(report.rows[row]) == ["labels", "frames", "spikes", "parameters"]
    kinds = {type(job).__name__ for job in jobs_behind([report.out_report])}
    assert not {"ScoreJob", "TuneScalesJob", "SpellTranscriptsJob"} & kinds


def test_the_best_student_leaves_with_the_decoder_that_dev_chose(declared, outputs):
    declared(Sources(AUDIO))
    closest = outputs["distil/mine/students/best"].creator
    assert (closest.lexicon, closest.lm, closest.teacher) == (None, None, name_of(TEACHER))
    assert all((one["lm_scale"], one["prior_scale"]) == (0.0, 0.0) for one in closest.candidates.values())
    report, _ = declared(Sources(AUDIO, dev=SPOKEN, test=SPOKEN, text=tk.Path("text.txt")))
    best = outputs["distil/mine/students/best"].creator
    assert list(best.candidates) == list(report.rows)[2:] and None not in (best.lexicon, best.lm)
    for row, one in best.candidates.items():
        assert one["errors"] == report.rows[row]["dev"]
        assert one["lm_scale"].creator.posteriors.creator.checkpoint == one["checkpoint"]


def test_students_of_audio_do_not_depend_on_transcripts(declared):
    _, trainings = declared(Sources(AUDIO, dev=SPOKEN, test=SPOKEN, labelled=SPOKEN, text=tk.Path("text.txt")))
    for name, training in trainings.items():
        reads = any(
            path == SPOKEN.transcripts for job in jobs_behind([training.out_models]) for path in job._sis_inputs
        )
        assert reads == (not name.endswith("l1")), name


def test_labelled_audio_adds_students_that_are_measured_alike(declared):
    report, trainings = declared(Sources(AUDIO, labelled=SPOKEN))
    assert list(trainings)[5:] == ["baseline", "all-l0.9", "symmetric-n1-l0.9"]
    references = {report.rows[row]["labels"].creator.references for row in list(report.rows)[1:]}
    assert len(references) == 1
    for name in ("baseline", "all-l0.9"):
        assert trainings[name].audio != trainings["all-l1"].audio
        assert trainings[name].labels and trainings[name].dev_labels


def test_a_lexicon_spells_labelled_audio(declared):
    lexicon = tk.Path("ipa.txt")
    report, trainings = declared(Sources(AUDIO, labelled=SPOKEN, lexicon=lexicon), {"class": "HamaCtc"})
    for training in (trainings["baseline"], trainings["all-l0.9"]):
        of_train, of_dev = training.labels.creator, training.dev_labels.creator
        assert (of_train.lexicon, of_train.inventory) == (lexicon, training.inventory)
        assert (of_train.skip_unknown_words, of_dev.skip_unknown_words) == (False, True)
    kinds = {type(job).__name__ for job in jobs_behind([report.out_report])}
    assert not {"SpellTranscriptsJob", "SpellWordsJob"} & kinds


def test_the_teacher_is_measured_with_and_without_pooling(declared):
    report, _ = declared(Sources(AUDIO, dev=SPOKEN, test=SPOKEN))
    own, pooled = (
        report.rows[row]["test"].creator.hypotheses.creator.posteriors.creator for row in ("Teacher", "Teacher, pooled")
    )
    assert own.model == {**pooled.model, "subsampling": None}
    assert (own.checkpoint, pooled.checkpoint) == (None, None)
    errors = report.rows["Teacher, pooled"]["labels"].creator
    assert (errors.hypotheses.creator, errors.references.creator) == (pooled, own)


def test_errors_are_those_of_characters_where_the_sources_say_so(declared):
    report, _ = declared(Sources(AUDIO, dev=SPOKEN, test=SPOKEN, unit="characters"))
    score = report.rows["Teacher"]["test"].creator
    scales = report.rows["Teacher"]["test"].creator.hypotheses.creator.lm_scale.creator
    assert (score.unit, scales.unit) == ("characters", "characters")
    assert [report.columns[name].heading for name in ("dev", "test")] == ["dev CER [%]", "test CER [%]"]
    with pytest.raises(ValueError, match="unit is 'letters', expected one of words, characters"):
        Sources(AUDIO, unit="letters")


def test_words_need_a_text_and_are_spelled_by_the_teacher(declared):
    with_text = Sources(AUDIO, dev=SPOKEN, test=SPOKEN, text=tk.Path("text.txt"))
    searches = []
    for sources in (with_text, replace(with_text, lexicon=tk.Path("ipa.txt")), replace(with_text, text=None)):
        report, _ = declared(sources)
        searches.append(report.rows["Teacher"]["dev"].creator.hypotheses.creator)
    spelled = searches[0].lexicon.creator
    assert spelled.tokenizer == "somebody/model"
    text = searches[0].lm.creator.arpa.creator.text  # in the case of the labels, whatever the user's text is in
    assert ([text], text.creator.inventory) == (spelled.texts, spelled.inventory)
    assert searches[1].lexicon == tk.Path("ipa.txt")
    assert (searches[2].lexicon, searches[2].lm) == (None, None)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"dev": AUDIO, "test": SPOKEN}, "dev has no transcripts"),
        ({"labelled": AUDIO}, "labelled has no transcripts"),
        ({"dev": SPOKEN}, "only dev is given: scales are chosen on dev, errors counted on test"),
        ({"lexicon": tk.Path("ipa.txt")}, "a lexicon needs a text, .* or labelled audio"),
    ],
)
def test_sources_that_make_no_sense(sources, message):
    with pytest.raises(ValueError, match=message):
        Sources(AUDIO, **sources)


def test_the_demos_stranger_is_a_finished_model(declared):
    _, trainings = declared(demo_sources(), demo_stranger())
    (saved,) = {job for job in jobs_behind([trainings["all-l1"].out_models]) if type(job).__name__ == "SaveCtcModelJob"}
    fine_tuning = saved.checkpoint.creator
    assert isinstance(fine_tuning, TrainJob) and fine_tuning.criterion == {"kd_scale": 0.0}
    assert not {path.creator for path in fine_tuning.audio} & {path.creator for path in trainings["all-l1"].audio}


def test_the_front_door_takes_paths(outputs, tmp_path):
    soundfile.write(tmp_path / "talk.wav", np.zeros(16000), 16000)
    config = importlib.import_module("config.distil")
    config.py("somebody/my-model", str(tmp_path))
    assert "distil/my-model/report" in outputs
    config.py("nvidia/parakeet-ctc-1.1b", str(tmp_path), subsampling=8)
    student = outputs["distil/parakeet-ctc-1.1b/students/all-l1.pt"].creator
    assert student.model["frontend"]["subsampling"] == student.teacher_logits.creator.model["subsampling"] == 8
    (tmp_path / "spoken.tsv").write_text(f"path\ttext\n{tmp_path}/talk.wav\tthe cat\n")
    config.py("hama", str(tmp_path), labelled=str(tmp_path / "spoken.tsv"), lexicon="cmudict")
    spelled = outputs["distil/hama/students/baseline.pt"].creator.labels.creator
    assert [path.creator.files for path in spelled.lexicon.creator.transcripts] == [
        [tk.Path(str(tmp_path / "spoken.tsv"))]
    ]
    with pytest.raises(ValueError, match="size is 'huge', expected one of tiny, small, large"):
        config.py("somebody/my-model", str(tmp_path), size="huge")
