#!/bin/sh
# A fuzz campaign under GNU parallel, here or on the machines of a login file: SHARDS shards, each with its file of JSON lines.
# Afterwards: kittson fuzz --report fuzz.*.jsonl
#
#   Documentation/campaigns/parallel.sh 64 [--sshloginfile machines --return fuzz.{}.jsonl ...] [-- words for kittson fuzz]
set -eu
shards=$1
shift
words=
while [ $# -gt 0 ] && [ "$1" != -- ]; do words="$words $1"; shift; done
[ $# -eq 0 ] || shift
# shellcheck disable=SC2086 — words for parallel
seq "$shards" | parallel --progress $words "${KITTSON:-kittson}" fuzz --seed "${SEED:-1}" --count "${COUNT:-1000000}" \
  --shard "{}/$shards" -D "fuzz.{}.jsonl" "$@"
