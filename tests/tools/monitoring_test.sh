#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the alerts and the dashboard.
exec tools/ci/check_monitoring
