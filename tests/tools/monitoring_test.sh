#!/bin/sh
# Checks the alerts and the dashboard, in Bazel's runfiles.
exec tools/check_monitoring
