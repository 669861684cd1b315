# SPDX-License-Identifier: Apache-2.0
"""Compares the time that the page takes to show a month with the query that it waits for.

TOKENUSAGE_PAGE_RECORDS is the number of records of the month.
"""

import os
import statistics
import subprocess
import unittest

from harness import browser, junit, program
from harness.testcase import EndToEndTest

RECORDS = int(os.environ.get("TOKENUSAGE_PAGE_RECORDS", "20000"))
VIEWS = 20
MODELS = 20
DAYS = 30
LINE = (
    '{"record_id":"r%d","event_time":"2026-09-%02dT%02d:%02d:%02dZ","operation":"chat",'
    '"provider":"openai","model":"model-%d","token_usage":{"input_tokens":%d,'
    '"output_tokens":%d,"total_tokens":%d,"cache_read_tokens":%d}}\n'
)
# Notes when the frame with the numbers has been painted.
WATCH = """
addEventListener('DOMContentLoaded', () => {
  const main = document.querySelector('main');
  const observer = new MutationObserver(() => {
    if (main.hidden || main.classList.contains('stale')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.paintedAt = performance.now(); }));
  });
  observer.observe(main, {attributes: true});
});
"""


def line_of(i):
    """Returns a record, in the order of time."""
    second = i * DAYS * 86400 // RECORDS
    minute, hour = second // 60, second // 3600
    time = (hour // 24 + 1, hour % 24, minute % 60, second % 60)
    read, output = i % 499, i % 997
    given = read + i % 89
    return LINE % (i, *time, i * 7919 % MODELS, given, output, given + output, read)


@unittest.skipUnless(
    browser.PATH, "SKIPPED: no Chromium; tools/install_dependencies chromium-headless-shell"
)
class FirstViewTest(EndToEndTest):
    def report(self, server):
        """Reports the month's records."""
        with subprocess.Popen(
            [program.PROGRAM, "report", "--server=" + server.address, "--project=demo"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=program.environment(),
        ) as process:
            for start in range(0, RECORDS, 1000):
                lines = map(line_of, range(start, min(start + 1000, RECORDS)))
                process.stdin.write("".join(lines).encode())
        self.assertEqual(process.returncode, 0)

    def test_first_view(self):
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")
        self.report(server)
        chromium = browser.Browser(self.folder)
        self.addCleanup(chromium.close)
        url = "http://%s/#project=demo&start=2026-09-01&end=2026-10-01" % server.http_address
        queries, others, ends = [], [], []
        for _ in range(VIEWS):
            tab = chromium.open("about:blank")
            tab.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            tab.call("Page.navigate", url=url)
            painted = tab.wait("window.paintedAt")
            self.assertEqual(tab.text("#total-record_count"), "{:,}".format(RECORDS))
            self.assertEqual(tab.text("#row-count"), str(DAYS * MODELS))
            ((duration, end),) = tab.run(
                "performance.getEntriesByType('resource')"
                ".filter(({name}) => name.endsWith('/QueryUsage'))"
                ".map(({duration, responseEnd}) => [duration, responseEnd])"
            )
            queries.append(duration)
            others.append(painted - duration)
            ends.append(painted - end)
        print("A month by day and model over %d records, %d views, ms:" % (RECORDS, VIEWS))
        for name, times in (
            ("the query", queries),
            ("all else from the start of the navigation until the view is painted", others),
            ("of it from the query's answer on", ends),
        ):
            median = statistics.median(times)
            print("%s: %.0f (%.0f to %.0f)" % (name, median, min(times), max(times)))


if __name__ == "__main__":
    junit.main()
