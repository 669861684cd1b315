#!/bin/sh
# Runs a test file in Bazel's runfiles: run_python_test.sh TEST_FILE PROGRAM
set -eu
export TOKENUSAGE_PROGRAM="$PWD/$2"
export PYTHONPATH="$PWD/tests/e2e:$PWD/tests/e2e/messages"
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$1"
