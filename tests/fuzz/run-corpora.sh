#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every fuzz target over its corpus, without fuzzing.  Prints TAP.
#
# The targets end with main.c, or with libFuzzer under --enable-fuzzing; both
# take files, run each once and exit 0 when nothing broke.

corpus=$top_srcdir/tests/fuzz/corpus
targets=$(ls "$corpus") # one target a corpus
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM

n=0
for target in $targets; do
    n=$((n + 1))
    set -- "$corpus/$target"/*
    if [ ! -e "$1" ]; then
        echo "not ok $n - $target has no corpus"
    elif "$top_builddir/tests/fuzz/fuzz_$target" "$@" >"$log" 2>&1; then
        echo "ok $n - $target takes its $# inputs"
    else
        echo "not ok $n - $target takes its $# inputs"
        sed 's/^/# /' "$log"
    fi
done
echo "1..$n"
