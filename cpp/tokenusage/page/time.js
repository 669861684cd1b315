// SPDX-License-Identifier: Apache-2.0

// Times. An instant is a number of milliseconds, or its RFC 3339 text; a civil time is what
// a zone's clocks show, as text without a zone: 2026-11-01 or 2026-11-01T09:30:00.

const DAY = 864e5;
const HOUR = 36e5;
const MINUTE = 6e4;

const clocks = new Map();

/** Returns what the zone's clocks show at an instant. Throws a RangeError for unknown zones. */
function civilTime(instant, zone) {
  if (!clocks.has(zone)) {
    // Sweden's format is ISO 8601 with a space instead of the T.
    const style = {timeZone: zone || 'UTC', dateStyle: 'short', timeStyle: 'medium'};
    clocks.set(zone, new Intl.DateTimeFormat('sv-SE', style));
  }
  return clocks.get(zone).format(instant).replace(' ', 'T');
}

function isDate(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text);
}

/** Returns the first instant of a date, or the instant of an RFC 3339 time, as text. */
function instantOf(text, zone) {
  if (!isDate(text)) return text;
  const midnight = Date.parse(text);
  // The instants of midnight by the zone's offsets before and after a clock change near it. The
  // clocks show midnight at both if they are set back over it, and at neither if they skip it:
  // then `before` is the instant of the change, at which the day starts.
  const [before, after] = [-26 * HOUR, 26 * HOUR].map((distance) => {
    const near = midnight + distance;
    return midnight - (Date.parse(civilTime(near, zone) + 'Z') - near);
  });
  const existing = [before, after].filter((t) => civilTime(t, zone) === text + 'T00:00:00');
  const instant = existing.length ? Math.min(...existing) : before;
  return new Date(instant).toISOString().replace('.000', '');
}

/** Returns the date that starts at an instant, or the instant itself if none does. */
function shortTime(text, zone) {
  const date = civilTime(Date.parse(text), zone).slice(0, 10);
  return Date.parse(instantOf(date, zone)) === Date.parse(text) ? date : text;
}

function addDays(date, days) {
  return new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
}

/** Returns a date's ISO 8601 week: 2026-W45. */
function isoWeek(date) {
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = addDays(date, 3 - weekday);
  const days = (Date.parse(thursday) - Date.parse(thursday.slice(0, 4))) / DAY;
  return `${thursday.slice(0, 4)}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`;
}

/** Returns a bucket's name, as briefly as its kind allows; `tokenusage query` prints the same. */
function bucketName(start, bucket, zone) {
  const instant = Date.parse(start);
  if (bucket === 'minute' || bucket === 'hour') {
    return new Date(instant).toISOString().slice(0, 16) + 'Z';
  }
  const date = civilTime(instant, zone).slice(0, 10);
  if (bucket === 'week') return isoWeek(date);
  return bucket === 'month' ? date.slice(0, 7) : date;
}

/** Returns the windows to choose from: [name, start, end]. */
function presets(zone) {
  const today = civilTime(Date.now(), zone).slice(0, 10);
  const month = today.slice(0, 8) + '01';
  const lastMonth = addDays(month, -1).slice(0, 8) + '01';
  const nextMonth = addDays(month, 31).slice(0, 8) + '01';
  return [
    ['Today', today, addDays(today, 1)],
    ['Last 7 days', addDays(today, -6), addDays(today, 1)],
    ['Last 30 days', addDays(today, -29), addDays(today, 1)],
    ['This month', month, nextMonth],
    ['Last month', lastMonth, month],
    ['Last 365 days', addDays(today, -364), addDays(today, 1)],
  ];
}
