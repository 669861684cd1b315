# SPDX-License-Identifier: Apache-2.0
"""The program's counts of all golden usages, beside those of oracle.py."""

import ast
import json
import re
from decimal import Decimal

import oracle
from harness import junit, program
from harness.testcase import EndToEndTest

RECORD = "proto/tokenusage/v1/usage_record.proto"
GOLDENS = "tests/usage/testdata/%s.txtpb"

_MEMBER = re.compile(r"^    (tokenusage\.\S+)\s+(\w+)\s*=\s*\d+", re.MULTILINE)
_STRING = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_JSON = re.compile(r"^  json:\s*((?:%s\s*)+)" % _STRING, re.MULTILINE)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def members():
    """Yields the members of UsageRecord's oneof for providers, and their messages."""
    for message, member in _MEMBER.findall(read(RECORD)):
        yield member, message


def golden_objects(member):
    """Yields the name and the object of each case that is not refused."""
    for case in re.split(r"^cases \{", read(GOLDENS % member), flags=re.MULTILINE)[1:]:
        case = re.sub(r"^\s*#.*\n", "", case, flags=re.MULTILINE)
        if re.search(r"^  error:", case, re.MULTILINE):
            continue
        strings = re.findall(_STRING, _JSON.search(case).group(1))
        name = re.search(r'^  name: "(.*)"', case, re.MULTILINE).group(1)
        yield name, "".join(ast.literal_eval(string) for string in strings)


class OracleTest(EndToEndTest):
    def test_counts_of_all_golden_usages(self):
        checked = 0
        for member, message in members():
            # One document a line: what is refused would be missing.
            cases = [(name, re.sub(r"\s*\n\s*", "", text)) for name, text in golden_objects(member)]
            lines = "".join(text + "\n" for _, text in cases)
            done = program.run("count", "--message=" + message, stdin=lines.encode())
            self.assertEqual((done.exit_code, done.stderr), (0, b""), member)
            answers = done.stdout.decode().splitlines()
            self.assertEqual(len(answers), len(cases), member)
            for (name, text), answer in zip(cases, answers):
                with self.subTest(member=member, case=name):
                    usage = json.loads(text, parse_int=Decimal, parse_float=Decimal)
                    counts = json.loads(answer)["counts"]
                    counts = {measure: Decimal(amount) for measure, amount in counts.items()}
                    self.assertEqual(counts, oracle.count(member, usage), text)
                    checked += 1
        self.assertGreater(checked, 100)


if __name__ == "__main__":
    junit.main()
