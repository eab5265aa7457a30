"""The build of KenLM's programs on a small stand-in source package, and once on the real one."""

import gzip
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import kenlm
import pytest
from sisyphus import tk

from ctc_kd.lm import kenlm_tools
from ctc_kd.lm.ngram import KenLmBinaryJob, NgramLmJob, feed

CMAKE = """cmake_minimum_required(VERSION 3.20)
project(standin CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
foreach(name lmplz build_binary query)
  add_executable(${name} lm/builder/lmplz_main.cc)
endforeach()
"""


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """A source archive with the real one's name, in the current directory, and its checksum."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "kenlm_ex-0.2.1"
    (source / "lm" / "builder").mkdir(parents=True)
    wrong = "\n".join(f"// {wrong}" for wrong, _ in kenlm_tools.CORRECTIONS)
    (source / kenlm_tools.LMPLZ_SOURCE).write_text(f"{wrong}\nint main() {{ return 0; }}\n")
    (source / "CMakeLists.txt").write_text(CMAKE)
    with tarfile.open(kenlm_tools.ARCHIVE, "w:gz") as tar:
        tar.add(source, arcname=source.name)
    monkeypatch.setattr(kenlm_tools, "SHA256", hashlib.sha256(Path(kenlm_tools.ARCHIVE).read_bytes()).hexdigest())
    return tmp_path / kenlm_tools.ARCHIVE


def test_unpack_correct_build(standin):
    for _ in range(2):  # a second attempt starts from whatever the first one left
        source = kenlm_tools.unpack(kenlm_tools.ARCHIVE)
        kenlm_tools.correct(f"{source}/{kenlm_tools.LMPLZ_SOURCE}")
        kenlm_tools.build(source, "build", cpus=1)
    corrected = Path(source, kenlm_tools.LMPLZ_SOURCE).read_text()
    for wrong, right in kenlm_tools.CORRECTIONS:
        assert wrong not in corrected and right in corrected
    for program in kenlm_tools.PROGRAMS:
        subprocess.run([f"build/bin/{program}"], check=True)


def test_without_a_compiler_the_error_says_what_is_missing_and_the_next_run_builds(standin, monkeypatch):
    source, cmake = kenlm_tools.unpack(kenlm_tools.ARCHIVE), kenlm_tools.find_cmake()
    monkeypatch.setattr(kenlm_tools, "find_cmake", lambda: cmake)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        patch.delenv("CXX", raising=False)
        with pytest.raises(RuntimeError, match=r"needs a C\+\+ compiler and make"):
            kenlm_tools.build(source, "build", cpus=1)
    kenlm_tools.build(source, "build", cpus=1)


def test_other_archive_is_refused(standin):
    standin.write_bytes(standin.read_bytes() + b"x")
    with pytest.raises(RuntimeError, match="kenlm_ex-0.2.1.tar.gz: sha256 is"):
        kenlm_tools.check_archive(str(standin))


def test_failed_download_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match=f"put the file kenlm_ex-0.2.1.tar.gz .* into {tmp_path}"):
        kenlm_tools.download()


def test_text_reaches_the_command_unpacked(tmp_path):
    with gzip.open(tmp_path / "text.gz", "wt") as file:
        file.write("A B\n" * 100_000)
    feed(["sh", "-c", f"cat > {tmp_path}/copy"], str(tmp_path / "text.gz"))
    assert (tmp_path / "copy").read_text() == "A B\n" * 100_000


def test_failure_of_the_command_names_the_text(tmp_path):
    (tmp_path / "text").write_text("A B\n" * 1_000_000)  # more than a pipe holds: the command ends while it is fed
    with pytest.raises(RuntimeError, match="status 3 on .*text"):
        feed(["sh", "-c", "exit 3"], str(tmp_path / "text"))


def test_text_that_is_not_there_starts_no_command(tmp_path):
    """It would wait for its input for ever."""
    with pytest.raises(FileNotFoundError):
        feed(["cat"], str(tmp_path / "text"))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_model_reaches_kenlm_unpacked(run_here, tmp_path, ending):
    """KenLM itself could only unpack where zlib's headers were when it was built."""
    (tmp_path / "build_binary").write_text('#!/bin/sh\ncat "$1" > "$2"\n')
    (tmp_path / "build_binary").chmod(0o755)
    arpa, model = tmp_path / f"lm.arpa{ending}", b"\\data\\\n" * 10_000
    arpa.write_bytes(gzip.compress(model) if ending else model)
    job = KenLmBinaryJob(arpa=tk.Path(str(arpa)), kenlm_tools=tk.Path(str(tmp_path)))
    assert Path(run_here(job).out_binary.get_path()).read_bytes() == model
    if ending:
        arpa.write_bytes(gzip.compress(model)[:-9])
        with pytest.raises(ValueError, match="lm.arpa.gz: .*expected a complete .gz"):
            run_here(job)


@pytest.mark.slow
def test_real_tools_estimate_a_model(run_jobs, tmp_path, kenlm_programs):
    """Every history's probabilities must add up to one."""
    sentences = ["THE CAT SAT", "THE CAT SAT DOWN", "A CAT SAT ON THE MAT", "SEE THE MAT", "ON THE MAT SAT A CAT"]
    (tmp_path / "text.txt").write_text("".join(f"{sentence}\n" for sentence in sentences))
    tools = tk.Path(kenlm_programs)
    arpa = NgramLmJob(text=tk.Path(str(tmp_path / "text.txt")), order=3, kenlm_tools=tools)
    binary = KenLmBinaryJob(arpa=arpa.out_arpa, kenlm_tools=tools)
    run_jobs(binary.out_binary)

    model = kenlm.Model(binary.out_binary.get_path())
    assert model.order == 3
    vocabulary = sorted({word for sentence in sentences for word in sentence.split()})
    for history in ["", "THE", "THE CAT", "CAT SAT", "A MAT", "DOWN"]:
        before, after = kenlm.State(), kenlm.State()
        model.BeginSentenceWrite(before)
        for word in history.split():
            model.BaseScore(before, word, after)
            before, after = after, kenlm.State()
        total = sum(10 ** model.BaseScore(before, word, after) for word in [*vocabulary, "</s>", "<unk>"])
        assert total == pytest.approx(1, abs=1e-4)
