# SPDX-License-Identifier: Apache-2.0
"""Tests the page in a real Chromium: live, with a real service, and as a file."""

import csv
import io
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
from decimal import Decimal

from harness import browser, fake_listener, junit, oracle, program
from harness.fake_listener import FakeListener

RTL = "\u202eمرحبا"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    RTL,
    "m" * 128,
    "=1+1",
    "it's",
]
WINDOW = "start=2026-11-01&end=2026-11-04"
SHOWN = "!document.querySelector('main').hidden && !document.querySelector('main.stale')"
NOTHING = " || document.querySelector('#status').innerText.startsWith('No records match')"


def usage_lines():
    """Returns records with all that the page has to show, as JSON Lines."""
    lines = []

    def add(time, model, team, **usage):
        record = {
            "record_id": "r%d" % len(lines),
            "event_time": time,
            "operation": "chat" if len(lines) % 3 else "embed",
            "provider": "openai",
            "model": model,
            "labels": {} if team is None else {"team": team},
        }
        record["token_usage" if usage else "usage_unknown"] = usage or {
            "reason": "UNKNOWN_USAGE_REASON_ABSENT"
        }
        lines.append(json.dumps(record) + "\n")

    add(
        "2026-11-01T00:30:00Z",
        "gpt-5",
        "web",
        input_tokens=8105.75,
        output_tokens=0.000000000001,
        total_tokens=8105.750000000001,
        cache_read_tokens=12.5,
        cost_usd=0.1,
    )
    add(
        "2026-11-01T23:30:00Z",
        "gpt-5",
        "web",
        input_tokens=2**53,
        output_tokens=7,
        total_tokens=100,
        cache_read_tokens=0,
        cost_usd=0.2,
    )
    add(
        "2026-11-02T12:00:00Z",
        "gpt-5",
        None,
        input_tokens=1000,
        output_tokens=234,
        total_tokens=1234,
    )
    add(
        "2026-11-02T12:30:00Z",
        "claude",
        "",
        input_tokens=3,
        output_tokens=4,
        total_tokens=7,
        reasoning_tokens=2,
    )
    add("2026-11-03T12:30:00Z", "claude", "web")
    for i, model in enumerate(HOSTILE):
        add(
            "2026-11-03T0%d:00:00Z" % i,
            model,
            model,
            input_tokens=10 + i,
            output_tokens=1,
            total_tokens=11 + i,
        )
    # Weeks at the ends of years.
    for i, day in enumerate(("2020-12-31", "2021-01-01", "2021-01-04", "2019-12-30")):
        add(
            day + "T12:00:00Z",
            "old",
            None,
            input_tokens=i,
            output_tokens=i,
            total_tokens=2 * i,
        )
    return "".join(lines).encode()


def normal(text):
    """Returns the text of a number as the terminal has it."""
    for shown, printed in (("\u202f", ""), (",", ""), ("\u2212", "-"), ("\u2013", "-")):
        text = text.replace(shown, printed)
    return text


def query_rows(address, *flags):
    """Returns the rows that the service answers, as UsageRow in JSON."""
    outcome = program.run("query", "--server=" + address, "--project=demo", "--json", *flags)
    assert outcome.exit_code == 0, outcome
    return list(map(oracle.wire_row, outcome.stdout.splitlines()))


@unittest.skipUnless(
    browser.PATH, "SKIPPED: no Chromium; tools/install_dependencies chromium-headless-shell"
)
class PageTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = program.Server(
            os.path.join(cls.folder, "usage.db"), "--http-listen=127.0.0.1:0"
        )
        cls.addClassCleanup(cls.server.kill)
        outcome = program.run(
            "report", "--server=" + cls.server.address, "--project=demo", stdin=usage_lines()
        )
        assert outcome.exit_code == 0, outcome
        cls.browser = browser.Browser(cls.folder)
        cls.addClassCleanup(cls.browser.close)
        printed = subprocess.run(
            [os.environ["TOKENUSAGE_PRINT_PAGE"]], stdout=subprocess.PIPE, check=True
        ).stdout
        policy, _, cls.page = printed.partition(b"\n")
        cls.headers = {"Content-Security-Policy": policy.decode()}

    def listen(self, call=None, **kwargs):
        """Starts a listener; by default its answers are those of the service."""
        call = call or fake_listener.forward_to(self.server.http_address)
        listener = FakeListener(self.page, self.headers, call, **kwargs)
        self.addCleanup(listener.close)
        return listener

    def open(self, url, complaints=(), wait=SHOWN, **kwargs):
        """Opens a tab, which in the end may have only complaints with one of these words."""
        tab = self.browser.open(url, **kwargs)
        origin = urllib.parse.urlsplit(url)._replace(path="", query="", fragment="").geturl()

        def check():
            found = [c for c in tab.complaints() if not any(word in c for word in complaints)]
            self.assertEqual(found, [])
            for request in tab.requests():
                # Chromium draws its own controls from data: addresses.
                self.assertTrue(request.startswith((origin, "data:", "blob:")), request)

        self.addCleanup(check)
        if wait:
            tab.wait(wait)
        return tab

    def open_live(self, address="", **kwargs):
        """Opens the page of a new listener."""
        listener = self.listen()
        return listener, self.open(
            "%s/#project=demo&%s&%s" % (listener.origin, WINDOW, address), **kwargs
        )

    def open_file(self, *flags, address="", **kwargs):
        """Opens what `query --html` writes."""
        path = os.path.join(self.folder, "page.html")
        outcome = program.run(
            "query",
            "--server=" + self.server.address,
            "--project=demo",
            "--html=" + path,
            *flags,
        )
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        return self.open("file://" + path + address, **kwargs)

    def read_cells(self, tab):
        """Returns the keys of the columns, and the texts of the rows and of the totals."""
        return (
            tab.run("[...document.querySelectorAll('thead button')].map((b) => b.title)"),
            tab.run(
                "[...document.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
            ),
            tab.run("[...document.querySelectorAll('tfoot td')].map((c) => c.textContent)"),
        )

    def read_table(self, tab):
        """Returns the table's heading (the keys of the columns), rows and totals."""
        keys = tab.run("[...document.querySelectorAll('thead button')].map((b) => b.title)")
        rows = tab.run(
            "[...document.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) =>"
            " c.querySelector('.decimal')?.textContent ?? c.textContent))"
        )
        totals = tab.run(
            "[...document.querySelectorAll('tfoot td')].map((c) => c.querySelector('.decimal').textContent)"
        )
        return keys, rows, totals

    def assert_shows(self, tab, rows, groups=1, bucket=True):
        """Asserts that the table and the tiles have these numbers, digit for digit."""
        keys, shown, totals = self.read_table(tab)
        first = groups + bool(bucket)
        self.assertEqual(len(shown), len(rows))
        for cells, row in zip(shown, rows):
            values = [g.get("value", "none") or "empty" for g in row.get("group", [])]
            self.assertEqual(cells[first - groups : first], values)
            for key, cell in list(zip(keys, cells))[first:]:
                value = row["totals"].get(key)
                value = value["exact"] if isinstance(value, dict) else value
                self.assertEqual(
                    cell.replace(",", ""), "–" if value is None else str(value), key
                )
        for key, cell in zip(keys[first:], totals):
            values = [row["totals"].get(key, 0) for row in rows]
            exact = sum(Decimal(v["exact"] if isinstance(v, dict) else v) for v in values)
            self.assertEqual(Decimal(cell.replace(",", "")), exact, key)


class LiveTest(PageTest):
    def test_shows_the_answers_digit_for_digit(self):
        for bucket in ("none", "hour", "day", "week", "month"):
            for group in ("model", "labels.team,operation", ""):
                with self.subTest(bucket=bucket, group=group):
                    _, tab = self.open_live("bucket=%s&group-by=%s" % (bucket, group))
                    flags = ["--start=2026-11-01", "--end=2026-11-04", "--bucket=" + bucket]
                    flags += ["--group-by=" + group] if group else []
                    rows = query_rows(self.server.address, *flags)
                    groups = len(group.split(",")) if group else 0
                    self.assert_shows(tab, rows, groups, bucket != "none")

    def test_the_totals_are_those_of_the_service(self):
        _, tab = self.open_live()
        (row,) = query_rows(self.server.address, "--start=2026-11-01", "--end=2026-11-04")
        for key in (
            "total_tokens",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cost_usd",
        ):
            shown = tab.text("#total-" + key).replace(",", "")
            self.assertEqual(shown, row["totals"][key]["exact"])
        self.assertEqual(tab.text("#total-record_count"), "11")
        totals = tab.text("#totals")
        self.assertIn("9 of 11 records state no cache reads", totals)
        self.assertIn("9 of 11 records state no cost", totals)
        self.assertNotIn("no output", totals)  # The note below says why one record lacks it.
        notes = tab.text("#notes")
        self.assertIn("1 of 11 records contradict themselves", notes)
        self.assertIn(
            "1 of 11 records are calls whose usage the provider did not state", notes
        )

    def test_controls_change_the_question_and_the_address(self):
        listener, tab = self.open_live()
        for selector, value, expected in (
            ("[name=bucket]", "month", {"bucket": "TIME_BUCKET_MONTH"}),
            (
                "[name=zone]",
                "Europe/Berlin",
                {"time_zone": "Europe/Berlin", "start_time": "2026-10-31T23:00:00Z"},
            ),
            ("[name=start]", "2026-11-02", {"start_time": "2026-11-01T23:00:00Z"}),
            ("[name=labels]", "team", {"group_by": ["model", "labels.team"]}),
        ):
            tab.set_and_go(selector, value)
            tab.wait(SHOWN)
            self.assertIn(urllib.parse.quote(value, safe=""), tab.run("location.hash"))
            self.assertEqual({**listener.requests[-1], **expected}, listener.requests[-1])
        tab.click("[name=group][value=operation]")
        tab.wait(
            SHOWN + " && document.querySelectorAll('thead th')[2].innerText === 'labels.team'"
            " && document.querySelectorAll('thead th')[3].innerText === 'operation'"
        )
        other = self.open(tab.run("location.href"))
        self.assertEqual(other.text("main"), tab.text("main"))
        self.assertEqual(listener.requests[-1], listener.requests[-2])
        tab.run("history.back()")
        tab.wait(
            SHOWN + " && document.querySelectorAll('thead th')[3].innerText === 'records'"
        )

    def test_filters(self):
        listener, tab = self.open_live("group-by=model,labels.team")
        for text in ("model=gpt-5", "model=claude", "labels.team"):
            tab.set("[name=filter]", text)
            tab.click("#controls button[type=submit]")
            tab.wait(
                SHOWN
                + " && document.querySelector('#chips').innerText.includes(%s)"
                % json.dumps(text)
            )
        filters = listener.requests[-1]["filters"]
        self.assertEqual(
            filters,
            [
                {"field": "model", "values": ["gpt-5", "claude"]},
                {"field": "labels.team", "match_missing": True},
            ],
        )
        rows = query_rows(
            self.server.address,
            "--start=2026-11-01",
            "--end=2026-11-04",
            "--bucket=day",
            "--group-by=model,labels.team",
            "--filter=model=gpt-5",
            "--filter=model=claude",
            "--filter-missing=labels.team",
        )
        self.assert_shows(tab, rows, groups=2)
        tab.click("#chips li:last-child button")
        tab.wait(SHOWN + " && document.querySelectorAll('#chips li').length === 2")
        self.assertEqual(listener.requests[-1]["filters"], filters[:1])
        tab.set("[name=filter]", "nonsense")
        tab.click("#controls button[type=submit]")
        self.assertFalse(tab.run("document.querySelector('[name=filter]').checkValidity()"))

    def test_a_click_on_a_series_filters_by_it(self):
        listener, tab = self.open_live()
        tab.run(
            "[...document.querySelectorAll('#legend button')].find((b) => b.innerText === 'claude').click()"
        )
        tab.wait(SHOWN + " && document.querySelectorAll('#legend li').length === 1")
        self.assertEqual(
            listener.requests[-1]["filters"], [{"field": "model", "values": ["claude"]}]
        )

    def test_days_start_as_the_zone_has_them(self):
        listener = self.listen()
        for zone, day, instant in (
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),  # No midnight.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),  # Midnight twice.
            ("Asia/Kathmandu", "2026-11-01", "2026-10-31T18:15:00Z"),
            (
                "Pacific/Apia",
                "2011-12-31",
                "2011-12-30T10:00:00Z",
            ),  # The day before was skipped.
            ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z"),
        ):
            address = "/#project=demo&start=%s&end=2027-01-01&time-zone=%s" % (day, zone)
            self.open(listener.origin + address, wait=SHOWN + NOTHING)
            self.assertEqual(listener.requests[-1]["start_time"], instant)
        # An instant stays as it is.
        start = "2026-11-01T00:30:00.000000001Z"
        tab = self.open("%s/#project=demo&start=%s&end=2026-11-04" % (listener.origin, start))
        self.assertEqual(listener.requests[-1]["start_time"], start)
        self.assertIn(
            start, tab.run("location.hash || document.querySelector('[name=start]').value")
        )

    def test_pages_are_read_to_the_end(self):
        count = 100_000
        rows = [
            {
                "bucket_start_time": "2026-11-01T%02d:00:00Z" % (i % 24),
                "bucket_end_time": "2026-11-01T%02d:30:00Z" % (i % 24),
                "group": [{"field": "model", "value": "model-%d" % i}],
                "totals": {
                    "record_count": 2,
                    "total_tokens": {
                        "rounded": i + 0.1,
                        "exact": "%d.1" % i,
                        "record_count": 2,
                    },
                    "cost_usd": {
                        "rounded": 1e-12,
                        "exact": "0.000000000001",
                        "record_count": 1,
                    },
                },
            }
            for i in range(count)
        ]
        listener = self.listen(fake_listener.pages_of(rows))
        tab = self.open(
            "%s/#project=demo&bucket=hour&%s" % (listener.origin, WINDOW), wait=None
        )
        tab.wait(SHOWN, seconds=240)
        self.assertEqual(len(listener.requests), 100)
        self.assertEqual(tab.text("#row-count"), "100,000")
        self.assertEqual(tab.text("#total-total_tokens"), "4,999,960,000")
        self.assertEqual(tab.text("#total-cost_usd"), "0.0000001")
        self.assertEqual(tab.text("#total-record_count"), "200,000")
        self.assertEqual(len(tab.texts("tbody tr")), 200)
        self.assertEqual(tab.text("#more"), "Show 200 of 99,800 more")
        tab.click("#more")
        self.assertEqual(len(tab.texts("tbody tr")), 400)
        tab.click("thead [title=total_tokens]")
        tab.wait(
            "document.querySelector('tbody td:nth-child(2)').innerText === 'model-99999'",
            seconds=240,
        )
        milliseconds = tab.run(
            "(() => { const start = performance.now(); document.querySelector('thead [title=cost_usd]').click();"
            " return new Promise((done) => addEventListener('hashchange', () =>"
            " setTimeout(() => done(performance.now() - start)), {once: true})); })()"
        )
        print("sorted 100,000 rows in %.0f ms" % milliseconds)
        # The page does not read one more row, and says so.
        rows.append(rows[0])
        other = self.open(
            "%s/#project=demo&bucket=hour&%s" % (listener.origin, WINDOW), wait=None
        )
        other.wait(SHOWN, seconds=240)
        self.assertIn("Only the first 100,000 rows are here", other.text("#notes"))

    def test_a_wrong_token_is_said_and_none_is_kept(self):
        listener = self.listen(token="secret-token")
        tab = self.open(
            "%s/#project=demo&%s" % (listener.origin, WINDOW),
            complaints=["401"],
            wait="document.querySelector('#token-dialog').open",
        )
        self.assertIn("the call has no token", tab.text("#token-reason"))
        tab.run("document.querySelector('#token').value = 'wrong'")
        tab.click("#token-form button")
        tab.wait(
            "document.querySelector('#token-dialog').open &&"
            " document.querySelector('#token-reason').innerText.includes('refused this token: unknown token')"
        )
        self.assertFalse(tab.run(SHOWN))
        tab.run("document.querySelector('#token').value = 'secret-token'")
        tab.click("#token-form button")
        tab.wait(SHOWN)
        self.assertFalse(tab.run("document.querySelector('#token-dialog').open"))
        kept = tab.run(
            "[location.href, document.cookie, document.documentElement.outerHTML,"
            " JSON.stringify(localStorage), JSON.stringify(sessionStorage),"
            " JSON.stringify([...document.querySelectorAll('input')].map((i) => i.value))].join()"
        )
        self.assertNotIn("secret-token", kept)
        self.assertIn(
            '"Authorization: Bearer $TOKEN"',
            tab.run("document.querySelector('#commands').textContent"),
        )

    def test_errors_are_said_in_place_of_numbers(self):
        listener, tab = self.open_live(complaints=["400", "404", "ERR_"])
        tab.run("location.hash = '#project=Not%20valid'")
        tab.wait("document.querySelector('#error').innerText.includes('project')")
        self.assertFalse(tab.run(SHOWN))
        tab.run("location.hash = '#project=demo&time-zone=Europe/Nowhere'")
        tab.wait("document.querySelector('#error').innerText.includes('Europe/Nowhere')")
        tab.run("location.hash = '#project=demo&start=nonsense'")
        tab.wait("document.querySelector('#error').innerText.includes('nonsense')")
        listener.close()
        tab.run("location.hash = '#project=demo&%s&bucket=week'" % WINDOW)
        tab.wait("document.querySelector('#error').innerText.includes('did not answer')")
        self.assertFalse(tab.run(SHOWN))

    def test_an_empty_answer_is_said(self):
        _, tab = self.open_live("filter=model%3Dnone", wait="false" + NOTHING)
        self.assertTrue(tab.run("document.querySelector('main').hidden"))

    def test_without_a_project_in_the_address(self):
        listener = self.listen()
        tab = self.open(listener.origin + "/#" + WINDOW)
        self.assertEqual(listener.requests[-1]["project"], "demo")
        self.assertEqual(tab.run("document.querySelector('[name=project]').value"), "demo")
        several = self.listen(fake_listener.pages_of([], projects=("a", "b")))
        self.open(several.origin, wait="false" + NOTHING)
        self.assertEqual(several.requests[-1]["project"], "-")

    def test_the_commands_ask_the_same(self):
        listener, tab = self.open_live(
            "group-by=model&filter="
            + urllib.parse.quote("model=it's")
            + "&filter=model%3Dgpt-5&time-zone=Europe/Berlin"
        )
        query, curl, lists = tab.run(
            "[...document.querySelectorAll('#commands code')].map((c) => c.textContent)"
        )
        folder = os.path.join(self.folder, "bin")
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(folder + "/tokenusage"):
            os.symlink(program.PROGRAM, folder + "/tokenusage")
        env = program.environment(
            PATH=folder + ":" + os.environ["PATH"], TOKENUSAGE_SERVER=self.server.address
        )

        def run(command):
            done = subprocess.run(
                ["bash", "-c", command],
                env=env,
                stdout=subprocess.PIPE,
                timeout=60,
                check=True,
            )
            return done.stdout.decode().splitlines()

        self.assert_shows(tab, list(map(oracle.wire_row, run(query + " --json"))))
        self.assertEqual([json.loads(line)["record_id"] for line in run(lists)], ["r1"])
        self.assertIn("--filter=model=gpt-5", lists)
        request = dict(listener.requests[-1])
        del request["page_size"]
        words = run("curl() { printf '%s\\n' \"$@\"; }; " + curl)
        self.assertEqual(json.loads(words[words.index("-d") + 1]), request)
        self.assertEqual(
            words[-1], listener.origin + "/tokenusage.v1.UsageReportingService/QueryUsage"
        )

    def test_csv_has_all_rows(self):
        _, tab = self.open_live("group-by=model,labels.team")
        tab.run(
            "URL.createObjectURL = ((made) => (blob) => { window.saved = blob; return made(blob); })"
            "(URL.createObjectURL.bind(URL))"
        )
        tab.click("#csv")
        text = tab.run("window.saved.text()")
        self.assertIn(",gpt-5,,", text)  # No label,
        self.assertIn(',claude,"",', text)  # and an empty one.
        found = list(csv.DictReader(io.StringIO(text, newline="")))
        rows = query_rows(
            self.server.address,
            "--start=2026-11-01",
            "--end=2026-11-04",
            "--bucket=day",
            "--group-by=model,labels.team",
        )
        self.assertEqual(len(found), len(rows))
        for line, row in zip(found, rows):
            self.assertEqual(line["bucket_start_time"], row["bucket_start_time"])
            model = row["group"][0]["value"]
            # A spreadsheet must not take the name for a formula.
            self.assertEqual(line["model"], "'=1+1" if model == "=1+1" else model)
            self.assertEqual(line["record_count"], str(row["totals"]["record_count"]))
            for key in ("total_tokens", "cache_read_tokens", "cost_usd"):
                total = row["totals"].get(key, {"exact": "", "record_count": 0})
                self.assertEqual(line[key], total["exact"])
                self.assertEqual(line[key + ".record_count"], str(total["record_count"]))


class ViewTest(PageTest):
    FLAGS = ("--start=2026-11-01", "--end=2026-11-04", "--bucket=day", "--group-by=model")

    def test_a_file_shows_its_rows(self):
        tab = self.open_file(*self.FLAGS)
        self.assert_shows(tab, query_rows(self.server.address, *self.FLAGS))
        self.assertIn(
            "demo · 2026-11-01 to 2026-11-04 (exclusive) · UTC · as of ", tab.text("#subject")
        )
        self.assertFalse(tab.text("[name=project]"))

    def test_buckets_are_named_as_on_the_terminal(self):
        for bucket in ("minute", "hour", "day", "week", "month"):
            flags = ["--bucket=" + bucket, "--time-zone=Pacific/Auckland"]
            tab = self.open_file(*flags)
            table = program.run(
                "query", "--server=" + self.server.address, "--project=demo", *flags
            )
            # Between the heading and the total.
            names = [line.split()[0] for line in table.stdout.decode().splitlines()]
            names = names[names.index(bucket) + 1 : names.index("total")]
            self.assertEqual([row[0] for row in self.read_table(tab)[1]], names)

    def test_sorting(self):
        tab = self.open_file(*self.FLAGS)
        rows = query_rows(self.server.address, *self.FLAGS)

        def count(row):
            return Decimal(row["totals"].get("input_tokens", {"exact": "-1"})["exact"])

        largest = sorted(rows, key=lambda row: -count(row))
        stated = [row for row in rows if count(row) >= 0]
        smallest = sorted(stated, key=count) + [row for row in rows if count(row) < 0]
        for order, expected in (
            ("descending", largest),
            ("ascending", smallest),
            (None, rows),
        ):
            tab.click("thead [title=input_tokens]")
            tab.wait(
                "document.querySelector('th:has([title=input_tokens])').ariaSort === %s"
                % json.dumps(order)
            )
            self.assert_shows(tab, expected)
        tab.click("thead [title=model]")
        tab.wait("document.querySelector('th:has([title=model])').ariaSort === 'ascending'")
        self.assert_shows(tab, sorted(rows, key=lambda row: row["group"][0]["value"]))
        again = self.open(tab.run("location.href"))
        self.assertEqual(again.text("#table"), tab.text("#table"))

    def test_filters_of_a_file(self):
        tab = self.open_file(*self.FLAGS)
        tab.set("[name=filter]", "model=gpt-5")
        tab.click("#controls button[type=submit]")
        tab.wait("document.querySelectorAll('#chips li').length === 1")
        rows = query_rows(self.server.address, *self.FLAGS, "--filter=model=gpt-5")
        self.assert_shows(tab, rows)
        tab.set("[name=filter]", "provider=openai")
        tab.click("#controls button[type=submit]")
        self.assertFalse(tab.run("document.querySelector('[name=filter]').checkValidity()"))

    def test_the_chart_says_what_the_rows_say(self):
        tab = self.open_file(*self.FLAGS)
        rows = query_rows(self.server.address, *self.FLAGS)

        def exact(row, key):
            return Decimal(row["totals"].get(key, {"exact": "0"})["exact"])

        def legend():
            names = tab.run(
                "[...document.querySelectorAll('#legend li')].map((e) => e.children[1].textContent)"
            )
            numbers = tab.run(
                "[...document.querySelectorAll('#legend .decimal')].map((e) => e.textContent)"
            )
            return names, [Decimal(n.replace(",", "")) for n in numbers]

        def choose(control, value):
            tab.set_and_go("#" + control, value)

        choose("measure", "input_tokens")
        total = sum(exact(row, "input_tokens") for row in rows)
        names, numbers = legend()
        self.assertEqual(len(names), 8)  # All eight models.
        self.assertEqual(numbers[0], total)
        self.assertEqual(sum(numbers[1:]), total)
        self.assertEqual(numbers[1:], sorted(numbers[1:], reverse=True))
        self.assertEqual(len(tab.texts("#plot path")), 8)
        choose("stack", "input-output")
        output = sum(exact(row, "output_tokens") for row in rows)
        self.assertEqual(legend(), (["input", "output"], [total + output, total, output]))
        choose("stack", "cache")
        read = sum(exact(row, "cache_read_tokens") for row in rows)
        self.assertEqual(legend()[0], ["read from cache", "other input"])
        self.assertEqual(legend()[1][1], read)
        # A bucket's own numbers, by keys and by pointer.
        first = sum(
            exact(r, "input_tokens")
            for r in rows
            if r["bucket_start_time"] == "2026-11-01T00:00:00Z"
        )
        tab.run("document.querySelector('#plot').focus()")
        tab.press("ArrowRight")
        tab.wait("document.querySelector('#legend p').innerText.startsWith('2026-11-01')")
        self.assertEqual(legend()[1][0], first)
        self.assertIn(
            "2026-11-01: %s; read from cache 12.5" % first,
            tab.run("document.querySelector('#plot').ariaValueText"),
        )
        tab.press("Escape")
        tab.wait("document.querySelector('#legend p').innerText.startsWith('Whole window')")
        box = tab.run(
            "(({left, top}) => [left, top])(document.querySelector('#plot').getBoundingClientRect())"
        )
        tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + 80, y=box[1] + 100)
        tab.wait("document.querySelector('#legend p').innerText.startsWith('2026-11-01')")

    def test_the_chart_is_chronological(self):
        flags = [*self.FLAGS, "--by=input_tokens"]
        starts = [row["bucket_start_time"] for row in query_rows(self.server.address, *flags)]
        self.assertNotEqual(starts, sorted(starts))
        tab = self.open_file(*flags)
        tab.run("document.querySelector('#plot').focus()")
        for start in sorted(set(starts)):
            tab.press("ArrowRight")
            tab.wait(
                "document.querySelector('#legend p').innerText.startsWith('%s')" % start[:10]
            )

    def test_more_series_than_colours_are_summed(self):
        tab = self.open_file(
            "--group-by=model,labels.team", "--bucket=month", address="#stack=model"
        )
        names = tab.run(
            "[...document.querySelectorAll('#legend li')].map((e) => e.children[1].textContent)"
        )
        self.assertEqual((len(names), names[-1]), (8, "2 others"))

    def test_hostile_names_are_text(self):
        tab = self.open_file(*self.FLAGS, width=390, height=800)
        names = {row[1] for row in self.read_table(tab)[1]}
        self.assertLessEqual(set(HOSTILE), names)
        self.assertEqual(tab.run("document.querySelectorAll('script').length"), 2)
        self.assertEqual(tab.run("document.querySelectorAll('img').length"), 0)
        # <bdi> ends a name's text direction, and long names do not widen the page.
        self.assertTrue(
            tab.run(
                "[...document.querySelectorAll('tbody td:nth-child(2)')].every((c) => c.firstChild.tagName === 'BDI')"
            )
        )
        self.assertLessEqual(tab.run("document.documentElement.scrollWidth"), 390)

    def test_a_phone_has_no_need_to_scroll_sideways(self):
        _, tab = self.open_live("group-by=model,labels.team", width=360, height=740)
        self.assertLessEqual(tab.run("document.documentElement.scrollWidth"), 360)

    def test_a_table_without_scripts(self):
        tab = self.open_file(
            *self.FLAGS, scripts=False, wait="!!document.querySelector('noscript td')"
        )
        self.assertIn("Project demo, from 2026-11-01 to 2026-11-04", tab.text("caption"))
        names = tab.texts("td:nth-child(2)")
        rows = query_rows(self.server.address, *self.FLAGS)
        self.assertEqual(len(names), len(rows) + 1)  # The last one is the total's.
        self.assertIn(HOSTILE[0], names)

    def test_shares_and_changes_are_those_of_the_terminal(self):
        flags = ["--start=2026-11-02", "--end=2026-11-03", "--group-by=model"]
        flags += ["--by=total_tokens", "--compare"]
        for more, names in (((), ["gpt-5", "claude", "total"]), (["--top=1"], ["gpt-5", "total"])):
            tab = self.open_file(*flags, *more)
            printed = program.run(
                "query", "--server=" + self.server.address, "--project=demo", *flags, *more
            )
            lines = [line.split() for line in printed.stdout.decode().splitlines()[-len(names) :]]
            self.assertEqual([line[0] for line in lines], names)
            keys, rows, totals = self.read_cells(tab)
            self.assertEqual(keys[-3:], ["share", "before", "change"])
            shown = [[normal(cell) for cell in row[-3:]] for row in rows + [totals]]
            self.assertEqual(shown, [line[-3:] for line in lines])
            self.assertEqual(tab.text("#total-total_tokens"), "1,241")
            self.assertIn("before: 2026-11-01 to 2026-11-02 (exclusive)", tab.text("#subject"))
            command = ["tokenusage query --project=demo", *flags[:4], *more, "--compare"]
            self.assertEqual(
                tab.run("document.querySelector('#commands code').textContent"),
                " ".join(command),
            )
        self.assertIn("Only the largest rows are here", tab.text("#notes"))

    def test_it_prints(self):
        _, tab = self.open_live()
        tab.call("Emulation.setEmulatedMedia", media="print")
        for hidden in ("#controls", "#csv", "#commands"):
            self.assertFalse(tab.run("document.querySelector('%s').offsetParent" % hidden))
        self.assertIn("demo · 2026-11-01", tab.text("#subject"))
        self.assertTrue(tab.pdf().startswith(b"%PDF"))

    def test_colours_can_be_told_from_their_background(self):
        for scheme in ("light", "dark"):
            tab = self.open_file(*self.FLAGS, scheme=scheme)
            colours = tab.run(
                "Object.fromEntries(['page', 'soft', 'warn-soft', 'text', 'muted', 'warn', 'bad', 's0', 's1', 's2',"
                " 's3', 's4', 's5', 's6', 's7', 'rest'].map((name) => [name,"
                " getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()]))"
            )
            for name in ("text", "muted", "warn", "bad"):
                for background in ("page", "soft"):
                    self.assertGreater(
                        contrast(colours[name], colours[background]), 4.5, (scheme, name)
                    )
            self.assertGreater(contrast(colours["text"], colours["warn-soft"]), 4.5, scheme)
            for name in [n for n in colours if n[0] == "s" and n[1:].isdigit()] + ["rest"]:
                self.assertGreater(contrast(colours[name], colours["page"]), 3, (scheme, name))

    def test_controls_have_names(self):
        _, tab = self.open_live()
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        seen = set()
        for node in nodes:
            role = node.get("role", {}).get("value")
            if role in (
                "button",
                "checkbox",
                "combobox",
                "textbox",
                "slider",
                "region",
                "table",
                "Date",
            ):
                seen.add(role)
                self.assertTrue(node.get("name", {}).get("value"), node)
        self.assertLessEqual({"button", "checkbox", "combobox", "slider", "table"}, seen)


def contrast(one, other):
    """Returns the contrast of two colours as WCAG 2 defines it."""

    def luminance(colour):
        digits = colour.lstrip("#")
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


if __name__ == "__main__":
    junit.main()
