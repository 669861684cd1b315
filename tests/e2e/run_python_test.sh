#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a test file in Bazel's runfiles: run_python_test.sh TEST_FILE VARIABLE=PROGRAM...
set -eu
file=$1
shift
for program; do
  export "${program%%=*}=$PWD/${program#*=}"
done
export PYTHONPATH="$PWD/tests/e2e:$PWD/tests/e2e/messages.zip"
export PYTHONDONTWRITEBYTECODE=1
# bazel test --test_filter=NAME, as GoogleTest reads it.
exec /usr/bin/python3 "$file" ${TESTBRIDGE_TEST_ONLY:+-k "$TESTBRIDGE_TEST_ONLY"}
