#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that start `tokenusage serve` in the background.

# wait_for_server PROCESS FILE: waits up to 10 seconds until the server with this process
# id has written its address to FILE. Fails if the server ends first.
wait_for_server() {
  for _ in {1..100}; do
    [[ ! -s $2 ]] || return 0
    kill -0 "$1" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
