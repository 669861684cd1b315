# SPDX-License-Identifier: Apache-2.0
"""The cc_library of cpp/: includes start with "tokenusage/", whatever the package."""

load("@rules_cc//cc:defs.bzl", _cc_library = "cc_library")

def cc_library(**kwargs):
    """A cc_library whose headers are included by their path below cpp/."""
    _cc_library(strip_include_prefix = "/cpp", **kwargs)
