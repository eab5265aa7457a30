# `make demo` and `make test` do all set-up themselves; a second call starts at once.

SUITS = -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null
PYTHON ?= $(shell for python in python3.11 python3.12 python3.10 python3; do \
	$$python $(SUITS) && echo $$python && break; done)
BIN := .venv/bin

.PHONY: help setup demo demo-full demo-distil demo-self-kd demo-k2d test test-slurm slurm lint

help:
	@echo "make demo       the distillation grid on the embedded corpus, 12 to 35 minutes on two cores"
	@echo "make demo-full  every row of Tables 1 and 2 and Figure 1, about 40 minutes more"
	@echo "make demo-distil  students of a finished character model, from audio alone, up to half an hour more"
	@echo "make demo-self-kd  self-distillation and its baselines on the embedded corpus, 10 to 20 minutes"
	@echo "make demo-k2d   pseudo labels, their filters and students, all from random weights, 12 to 30 minutes"
	@echo "make test       all tests"
	@echo "make test-slurm the tests against a Slurm of one node, which is installed if need be (Debian, Ubuntu)"
	@echo "make bench      all benchmarks at a size for two cores, less than 15 minutes; writes output/bench.md"
	@echo "make setup      only the virtual environment in .venv, with the command .venv/bin/sis"
	@echo "make lint       ruff"

setup: .venv/installed

.venv/installed: setup.py engine/pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) $(SUITS) || { echo "Python 3.10, 3.11 or 3.12 is needed: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -e engine -e '.[train,dev]'
	touch $@

demo: setup
	$(BIN)/sis manager -r -co config/demo.py
	@echo "open output/demo/demo/report/index.html"

demo-full: setup
	$(BIN)/sis manager -r -co config/demo_full.py
	@echo "open output/demo_full/demo/report/index.html"

demo-distil: setup
	$(BIN)/sis manager -r -co config.distil.demo
	@echo "open output/distil/demo/report/index.html"

demo-self-kd: setup
	$(BIN)/sis manager -r -co config.self_kd.demo
	@echo "open output/self_kd/demo/report/index.html"

demo-k2d: setup
	$(BIN)/sis manager -r -co config.k2d.demo
	@echo "open output/k2d/demo/report/index.html and output/k2d/demo/students/index.html"

test: setup lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-slurm: setup slurm
	OMP_NUM_THREADS=1 $(BIN)/pytest engine/tests -m slurm

bench: setup
	$(BIN)/python benchmarks/bench.py

SLURM := slurmctld slurmd slurm-client
slurm:
	@PATH=$$PATH:/usr/sbin; command -v slurmctld && command -v slurmd && command -v sbatch && exit; \
	command -v apt-get >/dev/null || { echo "Install Slurm first; Debian's packages are $(SLURM)"; exit 1; }; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get update && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(SLURM)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
