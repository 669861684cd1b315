"""Tests that hold whichever way the JSON mapping takes."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def cc_test_on_all_paths(name, **kwargs):
    """A cc_test, and one more on each other path (cpp/tokenusage/json/path_choice.h).

    Args:
      name: of the test on the fastest path; the others are NAME_table,
        NAME_portable and NAME_reflection.
      **kwargs: passed on to cc_test.
    """
    cc_test(name = name, **kwargs)
    for path in ["table", "portable", "reflection"]:
        cc_test(
            name = "%s_%s" % (name, path),
            env = {"TOKENUSAGE_JSON_PATH": path},
            **kwargs
        )
