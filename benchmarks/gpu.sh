#!/bin/sh
# Bars of a GPU in at most 8 minutes on one H100 or H200; writes output/bench_gpu.md.
#
#   benchmarks/gpu.sh                  student step, mask and loss, training through RETURNN in bf16, kill and resume
#   benchmarks/gpu.sh --device cpu     the same at the smallest sizes, so that nothing fails for a silly reason
#
# RIVALS=FOLDER   where `pip install --no-deps --target FOLDER i6-models "typeguard>=4" typing_extensions` put the rival
# PYTHON=...      an interpreter with torch and RETURNN, by default that of `make setup`
set -eu
cd "$(dirname "$0")/.."
PYTHONPATH="$PWD/recipe:$PWD/engine${RIVALS:+:$RIVALS}${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
if [ "$#" -eq 0 ]; then
    nvidia-smi --query-gpu=name,memory.used,utilization.gpu --format=csv
fi
exec "${PYTHON:-.venv/bin/python}" benchmarks/bench.py gpu "$@"
