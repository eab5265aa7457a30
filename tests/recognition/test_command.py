"""``ctc-kd transcribe``: formats, and what becomes of recordings that are none."""

import io
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from ctc_kd.recognition import command
from ctc_kd.recognition.recogniser import Recogniser
from levels import spoken, student

HELLO = spoken("_" * 8 + "|A_B_|_C|" + "_" * 8)
NOT_READ = "cannot be read as audio ({}), expected what libsndfile reads"
NO_AUDIO = f"{NOT_READ.format('Format not recognised.')}; ffmpeg -i IN OUT.flac converts it"


@pytest.fixture(autouse=True)
def hears_levels(monkeypatch, tmp_path):
    monkeypatch.setattr(Recogniser, "from_folder", lambda path, **options: Recogniser(student(), **options))
    monkeypatch.chdir(tmp_path)


def write(name, samples=HELLO, rate=16000, **options):
    soundfile.write(name, samples, rate, **options)


def run(capsys, *arguments):
    status = command.main(["transcribe", "FOLDER", *arguments])
    return SimpleNamespace(status=status, **capsys.readouterr()._asdict())


def test_text_of_one_recording(capsys):
    write("a.wav")
    assert run(capsys, "a.wav") == SimpleNamespace(status=0, out="E AB C E\n", err="")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_recordings_stay_in_order(capsys, processes):
    write("long.flac", np.concatenate([HELLO] * 20))
    write("b.wav", HELLO[::2], 8000)
    found = run(capsys, "long.flac", "b.wav", "--greedy", "--processes", processes)
    assert (found.status, found.err) == (0, "")
    assert [line.partition(": ")[0] for line in found.out.splitlines()] == ["long.flac", "b.wav"]
    assert found.out.endswith("b.wav: E AB C E\n")


def test_ctm(capsys):
    write("a b.wav")
    lines = run(capsys, "a b.wav", "--format", "ctm").out.splitlines()
    assert lines[1:3] == ["a_b 1 0.360 0.120 AB", "a_b 1 0.600 0.040 C"]


def test_srt(capsys):
    write("a.wav", np.concatenate([np.zeros(16000 * 3, "float32"), HELLO]))
    assert run(capsys, "a.wav", "--format", "srt").out == "1\n00:00:00,000 --> 00:00:04,000\nE AB C E\n\n"


def test_subtitles_are_short(capsys):
    write("a.wav", spoken("_" * 8 + "ABCD|" * 80 + "_" * 8))
    blocks = run(capsys, "a.wav", "--format", "srt").out.strip().split("\n\n")
    lines = [block.split("\n") for block in blocks]
    assert [number for number, _, _ in lines] == [str(number + 1) for number in range(len(lines))]
    assert len(lines) > 3 and all(len(text) <= 84 for _, _, text in lines)
    assert " ".join(text for _, _, text in lines).count("ABCD") == 80


def test_json(capsys):
    write("a.wav")
    found = json.loads(run(capsys, "a.wav", "--format", "json").out)
    assert (found["recording"], found["text"]) == ("a", "E AB C E")
    (segment,) = found["segments"]
    assert segment["words"][1] == {"text": "AB", "start_s": 0.36, "end_s": 0.48}
    assert [label["text"] for label in segment["labels"]] == list("E|AB|C|E")


def test_a_file_for_each_recording(capsys):
    write("a.wav")
    write("b.ogg")
    assert run(capsys, "a.wav", "b.ogg", "--output", "out", "--format", "json") == SimpleNamespace(
        status=0, out="", err=""
    )
    assert sorted(os.listdir("out")) == ["a.json", "b.json"]


def test_standard_input(capsys, monkeypatch):
    write("a.wav")
    with open("a.wav", "rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.read())))
    assert run(capsys, "-").out == "E AB C E\n"


def no_audio(capsys, name, reason):
    """The recording is refused in one line, the other one goes on."""
    write("good.wav")
    found = run(capsys, name, "good.wav")
    assert found.status == 1 and found.out == "good.wav: E AB C E\n"
    assert found.err == f"ctc-kd: {name}: {reason}\n"


def test_a_folder_is_no_audio(capsys):
    os.mkdir("folder")
    no_audio(capsys, "folder", "a folder, expected an audio file")


def test_a_text_is_no_audio(capsys):
    with open("text.wav", "w") as file:
        file.write("hello\n")
    no_audio(capsys, "text.wav", NO_AUDIO)


def test_no_file_and_an_empty_file(capsys):
    no_audio(capsys, "absent.wav", NOT_READ.format("No such file or directory"))
    open("empty.wav", "w").close()
    no_audio(capsys, "empty.wav", NO_AUDIO)


def test_a_pipe_is_refused(capsys):
    reading, writing = os.pipe()
    no_audio(
        capsys,
        f"/dev/fd/{reading}",
        "a pipe, which can be read only once; write - and pipe into standard input",
    )
    os.close(reading)
    os.close(writing)


def test_audio_without_a_header(capsys):
    write("a.raw", format="RAW", subtype="PCM_16")
    no_audio(capsys, "a.raw", "raw samples do not say their format; give them a header, for example that of WAV")


@pytest.mark.parametrize("ending", ["wav", "ogg", "mp3"])
@pytest.mark.parametrize("repeats", [1, 40])
def test_audio_that_was_cut_short(capsys, ending, repeats):
    """What is there of a long recording would be blocks of a minute."""
    name = f"half.{ending}"
    write(name, np.concatenate([HELLO] * repeats))
    os.truncate(name, os.path.getsize(name) // 2)
    write("good.wav")
    found = run(capsys, name, "good.wav")
    assert found.status == 1 and found.out == "good.wav: E AB C E\n"
    assert found.err.startswith(f"ctc-kd: {name}: cut short") and "copy the file again" in found.err


def test_audio_that_cannot_be_sought_in(capsys):
    write("a.wav", 0 * HELLO, subtype="GSM610")
    assert run(capsys, "a.wav").status == 0


def test_audio_with_nan(capsys):
    samples = HELLO.copy()
    samples[1600] = np.nan
    write("nan.wav", samples, subtype="FLOAT")
    no_audio(capsys, "nan.wav", "a sample at 0.100 s is nan, expected finite samples; repair the audio")


@pytest.mark.parametrize("length", [0, 1])
def test_audio_without_a_frame_says_nothing(capsys, length):
    write("short.wav", np.zeros(length))
    assert run(capsys, "short.wav") == SimpleNamespace(status=0, out="", err="")


def test_a_fault_of_standard_input_is_not_one_of_a_temporary_file(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"hello")))
    assert run(capsys, "-").err.startswith("ctc-kd: standard input: cannot be read as audio")


def test_a_file_of_a_bad_recording_is_not_written(capsys):
    os.mkdir("folder")
    assert run(capsys, "folder", "--output", "out").status == 1
    assert os.listdir("out") == []


def test_ctrl_c_leaves_no_file(capsys, monkeypatch):
    def segments(*_):
        yield from Recogniser(student()).transcribe(HELLO)
        raise KeyboardInterrupt

    monkeypatch.setattr(Recogniser, "transcribe_file", segments)
    assert run(capsys, "a.wav", "--output", "out") == SimpleNamespace(status=130, out="", err="")
    assert os.listdir("out") == []


def test_a_folder_that_is_none(capsys, monkeypatch, tmp_path):
    monkeypatch.undo()
    status = command.main(["transcribe", str(tmp_path / "absent"), "a.wav"])
    assert status == 1
    assert capsys.readouterr().err.startswith(f"ctc-kd: {tmp_path}/absent: no such folder")


def test_a_blank_threshold(capsys):
    write("a.wav")
    assert run(capsys, "a.wav", "--blank-threshold", "0.9").out == run(capsys, "a.wav").out
    found = run(capsys, "a.wav", "--blank-threshold", "2")
    assert (found.status, found.out) == (1, "")
    assert found.err == "ctc-kd: blank threshold 2.0, expected a probability of blank from 0.5 to 1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "b.wav", "--format", "srt"], "srt of several recordings needs --output"),
        (["a.wav", "x/a.flac", "--output", "out"], "2 recordings would be called a;"),
        (["x/a.wav", "y/a.wav", "--format", "json"], "2 recordings would be called a;"),
        (["x/a.wav", "y/a.wav", "--format", "ctm"], "2 recordings would be called a;"),
        (["a.wav", "--processes", "0"], "expected 1 or more"),
        (["-", "a.wav", "--processes", "2"], "standard input is read by one process"),
    ],
)
def test_calls_that_make_no_sense(capsys, arguments, message):
    with pytest.raises(SystemExit) as error:
        command.main(["transcribe", "FOLDER", *arguments])
    assert error.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("--processes", "2"), ("--output", "out", "--format", "ctm")])
def test_names_that_are_no_text(capsys, arguments):
    for name in ("caf\udce9.wav", "b.wav"):
        write(os.fsencode(name))
    found = run(capsys, "caf\udce9.wav", "b.wav", *arguments)
    assert found.status == 0 and not found.err
    if "--output" in arguments:
        with open("out/caf\udce9.ctm") as file:
            assert file.readline().startswith("caf\\xe9 1 ")
    else:
        assert found.out == "caf\\xe9.wav: E AB C E\nb.wav: E AB C E\n"


def test_a_file_in_the_place_of_the_output(capsys):
    write("a.wav")
    open("out", "w").close()
    found = run(capsys, "a.wav", "--output", "out")
    assert found.status == 1 and found.err.startswith("ctc-kd: [Errno 17] File exists")


def test_a_recording_that_kills_its_process_is_the_only_one_lost(capsys, monkeypatch):
    transcribe = Recogniser.transcribe_file

    def killed_by_b(recogniser, path):
        if path == "b.wav":
            os.kill(os.getpid(), signal.SIGKILL)
        return transcribe(recogniser, path)

    monkeypatch.setattr(Recogniser, "transcribe_file", killed_by_b)
    names = [f"{letter}.wav" for letter in "abcd"]
    for name in names:
        write(name)
    found = run(capsys, *names, "--processes", "2")
    assert found.status == 1 and found.out == "".join(f"{name}: E AB C E\n" for name in names if name != "b.wav")
    assert "\nctc-kd: b.wav: its process was killed, probably for lack of memory\n" in found.err


SEVERAL_THREADS = """
import torch
torch.set_num_threads(4)
from ctc_kd.recognition.command import main
from ctc_kd.recognition.recogniser import Recogniser
from levels import student
def read(path, **options):
    torch.ones(10**6).exp()  # starts the threads that the process may have
    return Recogniser(student(), **options)
Recogniser.from_folder = read
raise SystemExit(main(["transcribe", "FOLDER", "a.wav", "b.wav", "--processes", "2"]))
"""


def test_processes_that_have_several_threads_do_not_hang():
    for name in ("a.wav", "b.wav"):
        write(name, np.tile(HELLO, 15))
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", SEVERAL_THREADS], env=paths, timeout=600).returncode == 0


def test_a_terminal_sees_progress(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    write("a.wav")
    found = run(capsys, "a.wav")
    assert "1 of 1, a: 0:01" in found.err and found.err.endswith("\r\x1b[K") and found.out == "E AB C E\n"
