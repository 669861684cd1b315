# SPDX-License-Identifier: Apache-2.0
"""Computes in the plainest way what the totals must be.

Sums are decimal.Decimal, civil days come from zoneinfo, and every record is looked at
for every question.
"""

import calendar
import collections
import datetime
import decimal
import functools
import json
import zoneinfo

from harness.client import nanos_of

# A row of totals. Times are nanoseconds since 1970, a group value is None if the label is
# missing, and totals are the exact decimals in the order of MEASURES.
Row = collections.namedtuple("Row", "start end group record_count totals")

MEASURES = (
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "input_text_tokens",
    "input_image_tokens",
)

# The service's whole time: 2000-01-01 to 2200-01-01.
ALL_TIME = (946684800 * 10**9, 7258118400 * 10**9)

_CONTEXT = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_EVEN)
_SECOND = 10**9


def usage_of(record):
    """Returns the usage message of a record."""
    return getattr(record, record.WhichOneof("usage"))


def counts_of(record):
    """Returns a record's counts as doubles, in the order of MEASURES."""
    usage = usage_of(record)
    details = usage.input_tokens_details
    return (
        usage.total_tokens,
        usage.input_tokens,
        usage.output_tokens,
        details.text_tokens,
        details.image_tokens,
    )


def amount(count):
    """Returns a count as it is summed: its shortest decimal, to 12 decimals, half to even."""
    return decimal.Decimal(repr(count)).quantize(
        decimal.Decimal("1e-12"), context=_CONTEXT
    )


def exact_text(total):
    """Formats a sum: no exponent, no trailing zeros."""
    text = format(total, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sum_texts(counts):
    """Formats the exact sum of doubles."""
    total = decimal.Decimal(0)
    for count in counts:
        total = _CONTEXT.add(total, amount(count))
    return exact_text(total)


@functools.lru_cache(maxsize=None)
def first_instant(day, zone_name):
    """Returns the first second of this date, or a later one if the zone skipped it.

    Days start on quarter hours of UTC in every zone and year that tests use.
    """
    zone = zoneinfo.ZoneInfo(zone_name)
    noon = calendar.timegm(day.timetuple())
    for second in range(noon - 16 * 3600, noon + 16 * 3600, 900):
        if datetime.datetime.fromtimestamp(second, zone).date() >= day:
            return second
    raise AssertionError("no start of %s in %s" % (day, zone_name))


@functools.lru_cache(maxsize=None)
def _civil_bucket(second, bucket, zone_name):
    one_day = datetime.timedelta(days=1)
    day = datetime.datetime.fromtimestamp(second, zoneinfo.ZoneInfo(zone_name)).date()
    while first_instant(day + one_day, zone_name) <= second:
        day += one_day
    if bucket == "day":
        first, after = day, day + one_day
    elif bucket == "week":
        first = day - datetime.timedelta(days=day.weekday())
        after = first + datetime.timedelta(days=7)
    else:
        first = day.replace(day=1)
        after = (first + datetime.timedelta(days=31)).replace(day=1)
    return first_instant(first, zone_name), first_instant(after, zone_name)


def bucket_of(nanos, bucket, zone_name, window):
    """Returns the bucket around an instant, clipped to the window."""
    second = nanos // _SECOND
    if bucket == "none":
        return window
    if bucket in ("minute", "hour"):
        length = {"minute": 60, "hour": 3600}[bucket]
        start = second - second % length
        end = start + length
    else:
        # Buckets start on quarter hours, so it is enough to look at their starts.
        start, end = _civil_bucket(second - second % 900, bucket, zone_name)
    return max(start * _SECOND, window[0]), min(end * _SECOND, window[1])


def field_of(record, field):
    """Returns the value that a record is grouped by; None without such a label."""
    if field.startswith("labels."):
        return record.labels.get(field[len("labels.") :])
    return getattr(record, field)


def _passes(record, filters):
    return all(field_of(record, field) in allowed for field, allowed in filters.items())


def _order(item):
    (bucket, group), _ = item
    return bucket, [(v is not None, (v or "").encode()) for v in group]


def counting(records):
    """Returns the records that count: not corrected by another, and no void."""
    records = list(records)
    corrected = {record.corrects for record in records}
    return [
        record
        for record in records
        if record.record_id not in corrected and record.WhichOneof("usage")
    ]


def expected_rows(
    records, bucket="none", zone="UTC", window=ALL_TIME, group_by=(), filters=None
):
    """Returns the rows that a query must return.

    `filters` maps fields to the values that pass; None passes records without the label.
    """
    groups = {}
    for record in counting(records):
        time = nanos_of(record.event_time)
        if not window[0] <= time < window[1] or not _passes(record, filters or {}):
            continue
        group = tuple(field_of(record, field) for field in group_by)
        key = bucket_of(time, bucket, zone, window), group
        groups.setdefault(key, []).append(counts_of(record))
    return [
        Row(*key[0], key[1], len(counts), tuple(map(sum_texts, zip(*counts))))
        for key, counts in sorted(groups.items(), key=_order)
    ]


def wire_row(line):
    """Returns the JSON of the UsageRow that a line of `query --json` shows."""
    row = json.loads(line)
    group = [
        {"field": field} if value is None else {"field": field, "value": value}
        for field, value in row["group"].items()
    ]
    members = {name: row[name] for name in ("bucket_start_time", "bucket_end_time", "totals")}
    return dict(members, group=group)


def row_of(message):
    """Returns the Row of a UsageRow message, whose doubles must be the exact sums, rounded."""
    totals = []
    for measure in MEASURES:
        total = getattr(message.totals, measure)
        if not message.totals.HasField(measure):
            totals.append(None)
            continue
        if total.rounded != float(total.exact):
            raise AssertionError("%r is not %s, rounded" % (total.rounded, total.exact))
        totals.append(total.exact)
    return Row(
        nanos_of(message.bucket_start_time),
        nanos_of(message.bucket_end_time),
        tuple(g.value if g.HasField("value") else None for g in message.group),
        message.totals.record_count,
        tuple(totals),
    )
