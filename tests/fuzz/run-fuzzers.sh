#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz every target for FUZZ_SECONDS (20), starting from its corpus.  What breaks
# it is left as crash-TARGET-* in the build directory: fix it, then keep that
# file in the target's corpus.

seconds=${FUZZ_SECONDS:-20}
corpus=$top_srcdir/tests/fuzz/corpus
targets=${FUZZ_TARGETS:-$(ls "$corpus")} # one a corpus
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

status=0
for target in $targets; do
    mkdir "$scratch/$target"
    echo "$target: $seconds seconds"
    "$top_builddir/tests/fuzz/fuzz_$target" -max_total_time="$seconds" \
        -max_len=8192 -print_final_stats=1 -verbosity=0 \
        -dict="$top_srcdir/tests/fuzz/vim.dict" \
        -artifact_prefix="$top_builddir/tests/fuzz/crash-$target-" \
        "$scratch/$target" "$corpus/$target" || status=1
done
exit $status
