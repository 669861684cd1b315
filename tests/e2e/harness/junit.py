# SPDX-License-Identifier: Apache-2.0
"""A unittest main that also writes each test's outcome as JUnit XML, for Bazel."""

import os
import re
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

# The characters that XML 1.0 does not allow.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.suite = ElementTree.Element("testsuite", name=sys.argv[0])
        self._case = None

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        class_name, _, name = test.id().rpartition(".")
        self._case = ElementTree.SubElement(
            self.suite, "testcase", name=name, classname=class_name
        )

    def stopTest(self, test):
        self._case.set("time", "%.3f" % (time.monotonic() - self._started))
        super().stopTest(test)

    def _add(self, kind, test, text):
        case = self._case
        if not isinstance(test, unittest.TestCase):  # a failed setUpClass or the like
            case = ElementTree.SubElement(self.suite, "testcase", name=test.id())
        ElementTree.SubElement(case, kind).text = _NOT_IN_XML.sub("?", text)

    def addError(self, test, err):
        super().addError(test, err)
        self._add("error", test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._add("failure", test, self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            text = self._exc_info_to_string(err, subtest)
            self._add("failure", test, "%s\n%s" % (subtest, text))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._add("failure", test, "expected to fail, but passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._add("skipped", test, reason)


def main():
    """Runs the main module's tests, writes the XML, and exits: with 1 also if no test ran."""
    runner = unittest.TextTestRunner(verbosity=2, resultclass=_Result)
    result = unittest.main(exit=False, testRunner=runner).result
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        suites = ElementTree.Element("testsuites")
        suites.append(result.suite)
        ElementTree.ElementTree(suites).write(path, "utf-8", xml_declaration=True)
    sys.exit(not result.wasSuccessful() or result.testsRun == 0)
