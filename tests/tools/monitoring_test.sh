#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the alerts and the dashboard, in Bazel's runfiles.
exec tools/check_monitoring
