# SPDX-License-Identifier: Apache-2.0
"""Tests the page and what `tokenusage query --html` writes, without a browser."""

import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess

from harness import junit, oracle, program, records
from harness.testcase import EndToEndTest
from tokenusage.v1 import measures_pb2

HOSTILE = '</script><script>alert("{{script}}")</script>&amp;\u202eabc'


class _Parser(html.parser.HTMLParser):
    """Collects a page's tags, cells, policy, and the texts of its scripts, styles and caption."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.texts, self.policy = [("", {})], [], {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"]

    def handle_endtag(self, tag):
        self.tags.append(("", {}))

    def handle_data(self, data):
        tag, attrs = self.tags[-1]
        if tag == "bdi":
            self.cells[-1].append(data)
        if tag in ("script", "style", "caption"):
            kind = attrs.get("type", tag)
            self.texts[kind] = self.texts.get(kind, "") + data


def hash_source(text):
    """Returns how a policy names this script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return "'sha256-%s'" % base64.b64encode(digest).decode()


class ServedPageTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        printed = subprocess.run(
            [os.environ["TOKENUSAGE_PRINT_PAGE"]], stdout=subprocess.PIPE, check=True
        ).stdout.decode()
        self.policy, _, self.page = printed.partition("\n")

    def test_the_policy_allows_just_the_page_itself(self):
        parsed = _Parser(self.page)
        self.assertEqual(self.policy, parsed.policy + "; frame-ancestors 'none'")
        allowed = dict(rule.split(" ", 1) for rule in self.policy.split("; "))
        self.assertEqual(allowed["default-src"], "'none'")
        self.assertEqual(allowed["script-src"], hash_source(parsed.texts["module"]))
        self.assertEqual(allowed["style-src"], hash_source(parsed.texts["style"]))
        self.assertEqual(allowed["connect-src"], "'self'")

    def test_the_page_is_whole_small_and_loads_nothing(self):
        self.assertNotIn("{{", self.page.replace("${", ""))
        self.assertLess(len(self.page.encode()), 80_000)
        for tag, attrs in _Parser(self.page).tags:
            self.assertNotIn("src", attrs, tag)
            self.assertEqual(attrs.get("href", "data:,"), "data:,", tag)
            self.assertFalse([a for a in attrs if a == "style" or a.startswith("on")], tag)

    def test_its_measures_are_those_of_the_schema(self):
        text = re.search(r"const MEASURES = \[(.*?)\]", self.page, re.DOTALL).group(1)
        names = [
            name[len("USAGE_MEASURE_") :].lower()
            for name, number in sorted(measures_pb2.UsageMeasure.items(), key=lambda m: m[1])
            if number
        ]
        self.assertEqual(re.findall(r"'(\w+)'", text), names)


class QueryHtmlTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        made = [
            records.make_record(
                "a", counts=records.FRACTIONAL, model=HOSTILE, labels={"team": ""}
            ),
            records.make_record("b", model="gpt-5"),
        ]
        lines = records.json_lines(map(records.record_object, made))
        outcome = self.run_client("report", stdin=lines)
        self.assertEqual(outcome.exit_code, 0, outcome)

    def run_client(self, command, *args, stdin=b""):
        flags = ["--server=" + self.server.address, "--project=demo"]
        return program.run(command, *flags, *args, stdin=stdin)

    def read_page(self, *flags):
        self.assert_output(
            self.run_client("query", "--html=" + self.path("page.html"), *flags), b""
        )
        with open(self.path("page.html"), encoding="utf-8") as file:
            return _Parser(file.read())

    def test_holds_the_rows_and_the_question(self):
        flags = ["--bucket=day", "--group-by=model,labels.team", "--time-zone=Europe/Berlin"]
        page = self.read_page(*flags, "--filter=operation=images.edits")
        answer = json.loads(page.texts["application/json"])
        rows = self.run_client("query", "--json", *flags).stdout.splitlines()
        self.assertEqual(answer["rows"], list(map(oracle.wire_row, rows)))
        self.assertEqual(answer["request"]["group_by"], ["model", "labels.team"])
        self.assertEqual(answer["request"]["filters"][0]["values"], ["images.edits"])
        self.assertEqual(answer["request"]["page_token"], "")
        self.assertRegex(answer["query_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_is_a_table_without_scripts(self):
        page = self.read_page("--group-by=model")
        heading, *rows = page.cells
        self.assertEqual(heading[:4], ["model", "records", "inconsistent", "total_tokens"])
        self.assertEqual(rows[1][:4], ["gpt-5", "1", "-", "100"])
        # The name has no control character, so the terminal's escapes leave it alone.
        self.assertEqual(rows[0][0], HOSTILE)
        self.assertEqual(rows[0][3], "8105.75")
        self.assertTrue(page.texts["caption"].startswith("Project demo, "))

    def test_names_all_projects_in_words(self):
        server = "--server=" + self.server.address
        page = "--html=" + self.path("page.html")
        self.assert_output(program.run("query", server, "--project=-", page), b"")
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertTrue(_Parser(file.read()).texts["caption"].startswith("All projects, "))

    def test_says_if_it_holds_only_the_largest_rows(self):
        for flags, is_complete in ((["--top=2"], True), (["--top=1"], False)):
            page = self.read_page("--group-by=model", "--by=input_tokens", *flags)
            answer = json.loads(page.texts["application/json"])
            self.assertIs(answer["is_complete"], is_complete)

    def test_hostile_text_adds_no_element(self):
        for flags in (["--group-by=model"], ["--filter=model=" + HOSTILE, "--group-by=model"]):
            page = self.read_page(*flags)
            scripts = [attrs for tag, attrs in page.tags if tag == "script"]
            self.assertEqual(
                scripts, [{"type": "application/json", "id": "answer"}, {"type": "module"}]
            )
            self.assertIn(hash_source(page.texts["module"]), page.policy)

    def test_replaces_a_file_and_names_one_that_it_cannot_write(self):
        self.write("page.html", "x" * 1_000_000)
        self.read_page()
        outcome = self.run_client("query", "--html=" + self.path("none/page.html"))
        self.assert_one_line_error(outcome, 1, "none/page.html")
        outcome = self.run_client("query", "--json", "--html=" + self.path("page.html"))
        self.assertEqual(outcome.exit_code, 64)

    def test_a_page_without_rows(self):
        outcome = self.run_client("query", "--html=" + self.path("p"), "--end=2001-01-01")
        self.assertEqual(
            (outcome.exit_code, outcome.stderr), (0, b"tokenusage: no records match\n")
        )
        with open(self.path("p"), encoding="utf-8") as file:
            self.assertEqual(
                json.loads(_Parser(file.read()).texts["application/json"])["rows"], []
            )


if __name__ == "__main__":
    junit.main()
