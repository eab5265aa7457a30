#!/usr/bin/env bash
# Packs what the finished jobs of rows found, which is all that reports read: no models, logits or audio.
# Rows of the archives beside OUT are left out, so an archive holds what was measured since.
#     docs/findings/pack.sh WORK OUT.tar.xz    # WORK: the work folder of a checkout
set -euo pipefail
shopt -s nullglob

target=$(realpath "$2")
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
known=$(for other in "${target%/*}"/*.tar.xz; do [ "$other" = "$target" ] || tar -tf "$other"; done)
cd "$1"
for job in ctc_kd/{decoding,scoring,analysis}/*/* ctc_kd/report/record/*; do
  case $job in
    *.cleared.* | */SignificanceJob.* | */ExchangeJob.* | */NBestJob.*) continue ;; # of several rows
  esac
  if grep -qxF "work/$job/finished" <<< "$known"; then continue; fi
  if [ -e "$job/finished" ] || [ -e "$job/finished.tar.gz" ]; then
    mkdir -p "$rows/work/$job"
    cp -r "$job/output" "$rows/work/$job"
    rm -f "$rows/work/$job/output/alignments.txt" # for people, and larger than all the rest
    touch "$rows/work/$job/finished"
  fi
done
tar -C "$rows" --sort=name --owner=0 --group=0 --mtime=@0 -cJf "$target" work
