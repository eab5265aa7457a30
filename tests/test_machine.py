"""Only the cores and GPUs that are ours are used: those that CUDA and the scheduler show."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctc_kd import machine

SETTINGS = Path(__file__).parents[1]
ENGINE = "from settings import engine; e = engine(); print(e.resources['cpu'], e.resources['gpu'], e._free_gpus)"


@pytest.mark.parametrize(
    ("visible", "ids"),
    [
        (None, ["0", "1", "2"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("2, 0", ["2", "0"]),
        ("0,-1,1", ["0"]),
        ("0,,1", ["0"]),
        ("GPU-8932f937-d72c,MIG-GPU-5c/1/0", ["GPU-8932f937-d72c", "MIG-GPU-5c/1/0"]),
    ],
)
def test_gpus_are_those_that_cuda_shows(monkeypatch, visible, ids):
    monkeypatch.setattr(machine.glob, "glob", lambda _: ["/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia2"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.gpus() == ids


@pytest.mark.skipif(shutil.which("taskset") is None, reason="there is no taskset")
def test_the_settings_take_what_is_ours():
    core = min(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(core), sys.executable, "-c", ENGINE]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "1,-1,0"}
    assert subprocess.check_output(command, cwd=SETTINGS, env=environment, text=True) == "1 1 ['1']\n"


def test_the_processor_has_a_name_everywhere(monkeypatch, tmp_path):
    assert machine.processor()
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\nflags\t: fpu\n")
    monkeypatch.setattr("builtins.open", lambda *_, **__: (tmp_path / "cpuinfo").open())
    assert machine.processor() == "Some CPU @ 2.50GHz"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 gfni", True),
        ("flags\t\t: fpu amx_bf16 amx_tile", True),
        ("Features\t: fp asimd bf16", True),
        ("flags\t\t: fpu avx2 avx512f avx512_bf16_of_another_name", False),
        ("model name\t: bf16", False),
    ],
)
def test_products_of_bfloat16(monkeypatch, tmp_path, line, found):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\npower management:\n")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert machine.multiplies_bfloat16() is found
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "absent")
    assert not machine.multiplies_bfloat16()
