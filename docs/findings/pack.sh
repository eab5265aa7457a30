#!/usr/bin/env bash
# Packs what the finished rows of a config found, which is all that reports read: no models, logits or audio.
# Rows of the archives beside OUT are left out, so an archive holds what was measured since. In a checkout:
#     sis find "" CONFIG | docs/findings/pack.sh OUT.tar.xz
set -euo pipefail
shopt -s nullglob

target=$(realpath "$1")
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
known=$(for other in "${target%/*}"/*.tar.xz; do [ "$other" = "$target" ] || tar -tf "$other"; done)
while read -r state job _; do
  case $state/$job in
    */SignificanceJob.* | */ExchangeJob.* | */NBestJob.*) continue ;; # of several rows
    finished/ctc_kd/decoding/* | finished/ctc_kd/scoring/* | finished/ctc_kd/analysis/*) ;;
    finished/ctc_kd/report/record/*) ;;
    *) continue ;;
  esac
  if grep -qxF "work/$job/finished" <<< "$known"; then continue; fi
  mkdir -p "$rows/work/$job"
  cp -r "work/$job/output" "$rows/work/$job"
  rm -f "$rows/work/$job/output/alignments.txt" # for people, and larger than all the rest
  touch "$rows/work/$job/finished"
done
[ -d "$rows/work" ] || { echo "nothing to pack: no row has finished that no archive beside $1 has" >&2; exit 1; }
tar -C "$rows" --sort=name --owner=0 --group=0 --mtime=@0 -cJf "$target" work
