# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases of a `bazel test` from its build events (a JSON file).

Prints each failed case, and last a line "N passed, N failed". A target that failed
without a failed case (it crashed, timed out, or was not built) counts as one failed case.
Exits with 1 if a case failed or none passed.
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree


def read_targets(events_path):
    """Maps each test target to (passed, path of its test.xml or None)."""
    summaries, xml_files = {}, {}
    with open(events_path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            if "testResult" in event:
                label = event["id"]["testResult"]["label"]
                for output in event["testResult"].get("testActionOutput", []):
                    if output["name"] == "test.xml":
                        path = urllib.parse.urlparse(output["uri"]).path
                        xml_files[label] = urllib.request.url2pathname(path)
            elif "testSummary" in event:
                label = event["id"]["testSummary"]["label"]
                status = event["testSummary"]["overallStatus"]
                summaries[label] = status in ("PASSED", "FLAKY")
    return {label: (passed, xml_files.get(label)) for label, passed in summaries.items()}


def count_cases(xml_path):
    """Returns the number of passed cases and the names of the failed ones."""
    passed, failed = 0, []
    for case in ElementTree.parse(xml_path).iter("testcase"):
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append("%s.%s" % (case.get("classname", ""), case.get("name")))
        else:
            passed += 1
    return passed, failed


def main():
    passed, failed = 0, []
    for label, (target_passed, xml_path) in sorted(read_targets(sys.argv[1]).items()):
        try:
            cases_passed, cases_failed = count_cases(xml_path) if xml_path else (0, [])
        except (OSError, ElementTree.ParseError):
            cases_passed, cases_failed = 0, []
        if not target_passed and not cases_failed:
            cases_failed = ["the target itself"]
        passed += cases_passed
        failed += ["%s: %s" % (label, case) for case in cases_failed]
    for name in failed:
        print("FAILED", name)
    print("%d passed, %d failed" % (passed, len(failed)))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
