# SPDX-License-Identifier: Apache-2.0
"""TAP for these tests: one line a check, its findings as diagnostics."""

import os
import sys

_results = []
SHOWN = 40


def root():
    return os.environ.get("top_srcdir") or os.path.abspath(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def build():
    """The build tree; without one these tests have nothing to look at."""
    return os.environ.get("top_builddir") or root()


def note(text):
    for line in text.split("\n"):
        print("# " + line)


def check(name, findings):
    """One test: passes when FINDINGS is empty."""
    findings = list(findings)
    _results.append(not findings)
    print(("ok" if not findings else "not ok") + f" {len(_results)} - {name}")
    for finding in findings[:SHOWN]:
        note(finding)
    if len(findings) > SHOWN:
        note(f"... and {len(findings) - SHOWN} more")
    sys.stdout.flush()


def skip(name, why):
    _results.append(True)
    print(f"ok {len(_results)} - {name} # SKIP {why}")


def done():
    print(f"1..{len(_results)}")
    sys.exit(0 if all(_results) else 1)
