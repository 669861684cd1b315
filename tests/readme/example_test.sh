#!/usr/bin/env bash
# README's example prints what its comments say.
set -euo pipefail

expected='1501.66
{"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442.01,"input_tokens_details":{"text_tokens":5727.82,"image_tokens":1501.66}}'
actual=$(tests/readme/example)
diff <(echo "$expected") <(echo "$actual")
