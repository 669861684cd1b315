#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that the plugin refuses a message without an exact JSON encoding, with an error
# that names the field. Arguments: protoc, the plugin, the .proto file, a part of the error.
set -uo pipefail
protoc=$1 plugin=$2 file=$3 expected=$4
if output=$("$protoc" "--plugin=protoc-gen-tokenusage-json=$plugin" \
    "--tokenusage-json_out=${TEST_TMPDIR:?}" -I. -Iproto -I/usr/include \
    "$file" 2>&1); then
  echo "no error for $file" >&2
  exit 1
fi
if [[ $output != *"$expected"* ]]; then
  printf 'expected: %s\nfound: %s\n' "$expected" "$output" >&2
  exit 1
fi
