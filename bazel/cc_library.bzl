# SPDX-License-Identifier: Apache-2.0
"""The cc_library of all packages in cpp/."""

load("@rules_cc//cc:defs.bzl", _cc_library = "cc_library")

def cc_library(visibility = ["//:__subpackages__"], **kwargs):
    """Declares a cc_library whose headers are included by their path below cpp/.

    Args:
      visibility: by default this repository; consumers use the root targets.
      **kwargs: passed on to cc_library.
    """
    _cc_library(strip_include_prefix = "/cpp", visibility = visibility, **kwargs)
