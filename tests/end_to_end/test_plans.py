"""Every command that a config or a page of the docs names shows its plan, without network, in seconds."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import setup_folder, sis

REPOSITORY = Path(__file__).parents[2]
CONFIGS = sorted((REPOSITORY / "config").glob("*.py"))
DOCS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TEXTS = [path.read_text() for path in [*CONFIGS, *DOCS]]
WORDS = re.compile(r'sis manager ((?:"[^"]*"|[^"`\n])*)')  # a quoted argument may have several lines
NAMED = [shlex.split(found, comments=True) for text in TEXTS for found in WORDS.findall(text)]
OF_THIS_REPOSITORY = re.compile(rf"config[./]({'|'.join(path.stem for path in CONFIGS if path.stem != '__init__')})\b")
COMMANDS = {words[-1] for words in NAMED if words[:-1] in ([], ["-r"]) and OF_THIS_REPOSITORY.match(words[-1])}

NO_NETWORK = """
import socket

def refuse(*_):
    raise OSError("the network was asked for something")

socket.socket.connect = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = setup_folder(tmp_path_factory.mktemp("plans") / "setup", *CONFIGS, settings=NO_NETWORK)
    for recordings in ("podcasts", "talks"):
        (folder / recordings).mkdir()
        (folder / recordings / "first.wav").write_bytes(b"only its name is read")
    for part in ("train", "dev", "test"):  # in LibriSpeech's layout
        (folder / part / "19" / "198").mkdir(parents=True)
        (folder / part / "19" / "198" / "19-198.trans.txt").touch()
    for table in ("dev.tsv", "test.tsv", "talks.tsv"):
        (folder / table).write_text("path\ttext\n")
    return folder


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_shows_its_plan(folder, command):
    # The sources of a corpus of one's own are looked at.
    for recordings in ("podcasts", "talks"):
        command = command.replace(f"/data/{recordings}", str(folder / recordings))
    status, output = sis(folder, "manager", command)
    assert status == 1, output
    assert re.search(r"^\d+ of \d+ jobs finished, \d+ runnable, \d+ waiting$", output, re.MULTILINE)
    if "kd_blank" in command:
        assert "  would start ctc_kd/corpus/download/DownloadJob." in output
    assert output.endswith("Not started: use -r to start without asking.\n")


@pytest.mark.parametrize("command", ["config/demo_full.py", "config/kd_blank.py", "config.distil.demo"])
def test_a_plan_is_shown_without_what_makes_it_slow(folder, command):
    code = f"import sys\nfrom sisyphus.__main__ import run\nrun(['manager', {command!r}])\nprint(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=folder, stdin=subprocess.DEVNULL, text=True)
    assert not {"torch", "numpy", "transformers", "returnn", "lhotse"} & set(loaded.splitlines()[-1].split())


def test_examples_of_how_to_extend_show_their_plan(folder):
    examples = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "extending.md").read_text(), re.S)
    rows, teacher, *_, labels = examples  # those between are parts of a config
    (folder / "config" / "my_rows.py").write_text(rows)
    with_teacher = teacher + "\n\n" + rows.replace("(DEMO), DEMO", "(LARGE), LARGE")
    (folder / "config" / "my_teacher.py").write_text(with_teacher)
    for config in ("my_rows", "my_teacher"):
        status, output = sis(folder, "manager", f"config/{config}.py")
        assert status == 1, output
        assert "SynthesiseDemoCorpusJob        1 runnable" in output
        assert "  TrainJob                       4 waiting" in output
    (folder / "config" / "my_labels.py").write_text(labels)
    status, output = sis(folder, "manager", "config/my_labels.py")
    assert status == 1, output
    assert "  TrainPiecesJob                 1 waiting" in output


def test_a_corpus_that_is_not_known_is_named(folder):
    status, output = sis(folder, "manager", "config.kd_blank.py(['tedlium'])")
    assert status == 2
    assert "there is no corpus tedlium; the corpora are tedlium2, librispeech-other, librispeech-clean" in output


def test_a_folder_that_is_missing_is_no_name_of_the_hub(folder):
    _, output = sis(folder, "manager", "config.mini_librispeech.py('/no/such/encoder')")
    assert "  missing input /no/such/encoder of ctc_kd/training/" in output
