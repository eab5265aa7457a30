import gzip
import io
import os
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.corpus import progress, transfer, unpack
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.unpack import UnpackJob

FILES = {
    "LibriSpeech/README.TXT": b"read me",
    "LibriSpeech/dev/1/2/1-2-0000.flac": random.Random(0).randbytes(30_000),
    "LibriSpeech/dev/1/2/1-2.trans.txt": b"1-2-0000 A B\n",
}


def member(name: str, content: bytes = b"", **attributes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    vars_of = {"mtime": 0, **attributes}
    for key, value in vars_of.items():
        setattr(info, key, value)
    return info, io.BytesIO(content)


def write_archive(path: Path, *others, files=FILES, mode="w:gz") -> Path:
    """An archive of ``files``, then ``others``: pairs as :func:`member` gives them."""
    with tarfile.open(path, mode) as tar:
        for info, content in [*(member(name, content) for name, content in files.items()), *others]:
            tar.addfile(info, content)
    return path


def job_for(archive: Path, folder="LibriSpeech") -> UnpackJob:
    return UnpackJob(archive=tk.Path(str(archive)), folder=folder)


def contents(job) -> dict[str, bytes]:
    root = Path(job.out_dir.get_path())
    return {
        f"{root.name}/{path.relative_to(root)}": path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def refused(run_here, job, match):
    with pytest.raises(CorpusError, match=match):
        run_here(job)
    assert not Path(job.out_dir.get_path()).exists()
    assert not Path(unpack.UNPACKED).exists()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_the_folder_of_an_archive_is_unpacked(run_here, tmp_path, capsys, mode, prefix):
    files = {prefix + name: content for name, content in FILES.items()}
    job = run_here(job_for(write_archive(tmp_path / "a.tar", files=files, mode=mode)))
    assert contents(job) == FILES
    assert "3 files, 0.00 GB in LibriSpeech\n" in capsys.readouterr().out


def test_folders_and_long_names_are_unpacked(run_here, tmp_path):
    long = f"LibriSpeech/{'x' * 120}/{'y' * 120}.txt"
    others = [member("LibriSpeech/empty", type=tarfile.DIRTYPE, mode=0o555), member(long, b"text")]
    job = run_here(job_for(write_archive(tmp_path / "a.tar.gz", *others)))
    assert contents(job)[long] == b"text"
    assert os.path.isdir(os.path.join(job.out_dir.get_path(), "empty"))


def test_other_folders_are_left_out_and_named(run_here, tmp_path, capsys):
    job = run_here(job_for(write_archive(tmp_path / "a.tar.gz", member("__MACOSX/._x", b"junk"), member("note", b"n"))))
    assert contents(job) == FILES
    assert "left out: __MACOSX, note" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (member("../escaped", b"x"), "'../escaped' is a name with '..'"),
        (member("LibriSpeech/../../escaped", b"x"), "is a name with '..'"),
        (member("/tmp/escaped", b"x"), "'/tmp/escaped' is an absolute name"),
        (member("LibriSpeech/l", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link to '/etc/passwd'"),
        (member("LibriSpeech/l", type=tarfile.SYMTYPE, linkname="README.TXT"), "is a link to 'README.TXT'"),
        (member("LibriSpeech/l", type=tarfile.LNKTYPE, linkname="LibriSpeech/README.TXT"), "'LibriSpeech/l' is a link"),
        (member("LibriSpeech/p", type=tarfile.FIFOTYPE), "is neither a file nor a folder"),
        (member("elsewhere/d", type=tarfile.CHRTYPE), "is neither a file nor a folder"),
    ],
)
def test_members_that_could_write_elsewhere_are_refused(run_here, tmp_path, other, fault):
    job = job_for(write_archive(tmp_path / "a.tar.gz", other))
    refused(run_here, job, rf"a\.tar\.gz: the member .*{fault}")
    assert not list(tmp_path.rglob("*escaped*"))


def test_an_archive_of_something_else_is_refused(run_here, tmp_path):
    job = job_for(write_archive(tmp_path / "a.tar.gz"), "TEDLIUM_release2")
    refused(run_here, job, r"(?s)a\.tar\.gz: .*no files in a folder TEDLIUM_release2; its top folders are LibriSpeech")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_empty_archive_is_refused(run_here, tmp_path, mode):
    refused(run_here, job_for(write_archive(tmp_path / "a.tar", files={}, mode=mode)), "its top folders are none")


ZIPPED = [gzip.compress(text, mtime=0) for text in (b"text", b"t" * 5000)]


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b", *ZIPPED])
def test_what_is_no_archive_is_refused(run_here, tmp_path, content):
    (tmp_path / "a.tar.gz").write_bytes(content)
    refused(
        run_here, job_for(tmp_path / "a.tar.gz"), r"a\.tar\.gz: cut off, damaged, or not a \.tar or \.tar\.gz archive"
    )


@given(share=st.floats(0, 1), compressed=st.booleans())
def test_an_archive_cut_anywhere_is_refused(tmp_path_factory, share, compressed):
    tmp_path = tmp_path_factory.mktemp("cut")
    whole = write_archive(tmp_path / "whole", mode="w:gz" if compressed else "w").read_bytes()
    end = len(whole) - 1 if compressed else len(whole.rstrip(b"\0"))  # plain ones end in empty blocks
    (tmp_path / "cut").write_bytes(whole[: int(share * end)])
    with pytest.raises(CorpusError, match="cut: cut off, damaged"):
        unpack.unpack(str(tmp_path / "cut"), "LibriSpeech", into=str(tmp_path / "into"))


@pytest.mark.parametrize("num_blocks", [0, 1])
def test_a_plain_archive_cut_between_members_is_refused(run_here, tmp_path, num_blocks):
    """Python's reader takes this for the end of the archive."""
    archive = write_archive(tmp_path / "a.tar", files={"LibriSpeech/a": b"1" * 512}, mode="w")
    archive.write_bytes(archive.read_bytes()[: 1024 + num_blocks * 100])
    refused(run_here, job_for(archive), "no end mark after 1,024 bytes")


def test_a_damaged_header_is_not_the_end_of_the_archive(run_here, tmp_path):
    archive = write_archive(tmp_path / "a.tar", mode="w")
    content = bytearray(archive.read_bytes())
    content[1024] ^= 1  # the second member's header
    archive.write_bytes(content)
    refused(run_here, job_for(archive), "no end mark after 1,024 bytes")


def test_a_damaged_byte_of_a_compressed_archive_is_noticed(run_here, tmp_path):
    archive = write_archive(tmp_path / "a.tar.gz")
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1  # gzip's checksum, after all that tar reads
    archive.write_bytes(content)
    refused(run_here, job_for(archive), "cut off, damaged")


def test_a_killed_run_begins_afresh_and_a_finished_one_does_nothing(run_here, tmp_path):
    archive = write_archive(tmp_path / "a.tar.gz")
    job = job_for(archive)
    left = Path(job.out_dir.get_path()).parents[1] / "work" / unpack.UNPACKED / "LibriSpeech"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"")
    assert contents(run_here(job)) == FILES
    archive.unlink()
    run_here(job)


def test_a_full_disk_is_an_error_before_unpacking(run_here, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(transfer.DiskFullError, match="10 are free"):
        run_here(job_for(write_archive(tmp_path / "a.tar.gz")))


def test_progress_is_reported(run_here, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "INTERVAL_S", 0)
    job = run_here(job_for(write_archive(tmp_path / "a.tar.gz")))
    assert "a.tar.gz: 0.00 of 0.00 GB (100%)" in capsys.readouterr().out
    assert job.completed_fraction() == 1
