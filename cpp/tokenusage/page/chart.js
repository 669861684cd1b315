// SPDX-License-Identifier: Apache-2.0

// The stacked bars, and the legend that says what a bar holds.

// The largest get a colour each; the rest are one series.
const MAX_SERIES = 8;
const HEIGHT = 260;
const MARGIN = {top: 8, right: 4, bottom: 24, left: 48};

/** Returns what a row counts for a measure, in units of 1e-12. */
function unitsOf(row, measure) {
  if (measure === 'record_count') return BigInt(row.totals.record_count) * ONE;
  return parseDecimal(row.totals[measure]?.exact ?? '0');
}

/** Returns a function from a row to its parts: [key, units]. */
function partsOfView(view) {
  if (view.stack === 'input-output') {
    return (row) => [
      ['input', unitsOf(row, 'input_tokens')],
      ['output', unitsOf(row, 'output_tokens')],
    ];
  }
  if (view.stack === 'cache') {
    return (row) => {
      const [input, read] = [unitsOf(row, 'input_tokens'), unitsOf(row, 'cache_read_tokens')];
      return [['read from cache', read], ['other input', input > read ? input - read : 0n]];
    };
  }
  const group = view.groups.indexOf(view.stack);
  return (row) => [[row.group?.[group]?.value, unitsOf(row, view.measure)]];
}

/** Sums rows for the chart: the series, largest first, and the buckets in order. */
function chartOfRows(rows, view) {
  const parts = partsOfView(view);
  const sums = new Map();
  const buckets = new Map();
  for (const row of rows) {
    const start = row.bucket_start_time;
    if (!buckets.has(start)) buckets.set(start, {start, end: row.bucket_end_time, sums: new Map()});
    const bucket = buckets.get(start).sums;
    for (const [key, units] of parts(row)) {
      sums.set(key, (sums.get(key) ?? 0n) + units);
      bucket.set(key, (bucket.get(key) ?? 0n) + units);
    }
  }
  const isFixed = view.stack === 'input-output' || view.stack === 'cache';
  const keys = [...sums.keys()];
  if (!isFixed) keys.sort((a, b) => compareUnits(sums.get(b), sums.get(a)));
  const named = keys.length > MAX_SERIES ? keys.slice(0, MAX_SERIES - 1) : keys;
  const series = named.map((key) => ({key, keys: [key]}));
  if (named.length < keys.length) series.push({isRest: true, keys: keys.slice(named.length)});
  const add = (from, {keys}) => keys.reduce((sum, key) => sum + (from.get(key) ?? 0n), 0n);
  return {
    series,
    totals: series.map((one) => add(sums, one)),
    buckets: [...buckets.values()].map(({start, end, sums}) => ({
      start, end, units: series.map((one) => add(sums, one)),
    })),
  };
}

/** Returns at most five round values from 0 to at least `max`. */
function axisTicks(max) {
  if (max === 0) return [0, 1];
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  return Array.from({length: Math.ceil(max / step - 1e-9) + 1}, (_, i) => i * step);
}

/** Returns where the axis of time has names: [instant, name]. */
function timeTicks([from, to], bucket, zone, count) {
  const units = {minute: MINUTE, hour: HOUR, week: 7 * DAY};
  const multiples = {
    minute: [1, 5, 15, 60, 180, 360, 720, 1440], hour: [1, 3, 6, 12, 24, 48, 168],
    week: [1, 2, 4, 8, 13, 26], day: [1, 2, 7, 14, 28, 91, 182], month: [1, 2, 3, 6, 12],
  };
  const unit = units[bucket] ?? (bucket === 'month' ? 30.44 * DAY : DAY);
  const fits = (n) => (to - from) / (n * unit) <= count;
  const multiple = multiples[bucket].find(fits) ?? Math.ceil((to - from) / unit / count);
  const ticks = [];
  // From the middle of the first bucket, so that a change of clocks does not matter.
  for (let i = 0; ; i += multiple) {
    let instant = from + (i + 0.5) * unit;
    if (bucket === 'month') {
      const first = new Date(civilTime(from, zone).slice(0, 7));
      instant = first.setUTCMonth(first.getUTCMonth() + i) + 15 * DAY;
    }
    if (instant >= to) return ticks;
    ticks.push([instant, tickName(instant, bucket, zone, to - from)]);
  }
}

function tickName(instant, bucket, zone, span) {
  const isClock = bucket === 'minute' || bucket === 'hour';
  const civil = isClock ? new Date(instant).toISOString() : civilTime(instant, zone);
  if (isClock && span <= 2 * DAY) return civil.slice(11, bucket === 'hour' ? 13 : 16) + (bucket === 'hour' ? ':00' : '');
  const style = bucket === 'month' ? {month: 'short', year: 'numeric'} : {month: 'short', day: 'numeric'};
  return new Date(civil.slice(0, 10)).toLocaleDateString('en', {...style, timeZone: 'UTC'});
}

const shorten = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3});

/** A chart in the page. */
class Chart {
  /** `choose` is called with the key of a series whose name is clicked. */
  constructor(plot, legend, choose) {
    Object.assign(this, {plot, legend, choose, chosen: -1});
    plot.addEventListener('pointermove', (event) => this.point(event));
    plot.addEventListener('pointerdown', (event) => this.point(event));
    plot.addEventListener('pointerleave', () => this.select(-1));
    plot.addEventListener('blur', () => this.select(-1));
    plot.addEventListener('keydown', (event) => this.press(event));
    new ResizeObserver(() => this.draw()).observe(plot);
  }

  /** Shows these rows. `range` is the window as two instants. */
  show(rows, view, range) {
    this.view = view;
    this.range = range;
    this.data = chartOfRows(rows, view);
    this.plot.hidden = view.bucket === 'none';
    this.draw();
    this.select(-1);
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!this.data || width === 0) return;
    const {buckets, series} = this.data;
    const bottom = HEIGHT - MARGIN.bottom;
    const right = width - MARGIN.right;
    const ticks = axisTicks(Math.max(0, ...buckets.map((b) => heightOf(b.units))));
    const [from, to] = this.range;
    this.x = (instant) => MARGIN.left + (right - MARGIN.left) * (instant - from) / (to - from);
    const y = (value) => bottom - (bottom - MARGIN.top) * value / ticks[ticks.length - 1];
    this.mark = drawing('rect', {class: 'mark', y: MARGIN.top, height: bottom - MARGIN.top, width: 0});
    this.plot.replaceChildren(drawing(
        'svg', {width, height: HEIGHT, 'aria-hidden': 'true'}, this.mark,
        ...ticks.map((tick) => drawing('line', {class: tick ? 'grid' : 'axis', x1: MARGIN.left, x2: right, y1: y(tick), y2: y(tick)})),
        ...ticks.map((tick) => drawing('text', {class: 'tick', x: MARGIN.left - 8, y: y(tick) + 4, 'text-anchor': 'end'}, shorten.format(tick))),
        ...timeTicks(this.range, this.view.bucket, this.view.zone, Math.max(1, (right - MARGIN.left) / 72))
            .map(([instant, name]) => drawing('text', {class: 'tick', x: this.x(instant), y: HEIGHT - 6, 'text-anchor': 'middle'}, name)),
        ...series.map((one, i) => drawing('path', {class: colorOf(one, i), d: this.bars(i, y)}))));
  }

  /** Returns the path of a series' bars. */
  bars(index, y) {
    return this.data.buckets.map(({start, end, units}) => {
      const [left, right] = [this.x(Date.parse(start)), this.x(Date.parse(end))];
      const gap = Math.min(2, (right - left) / 5);
      const below = units.slice(0, index).reduce((sum, u) => sum + u, 0n);
      const [low, high] = [y(toNumber(below)), y(toNumber(below + units[index]))];
      // A hairline between the parts tells them apart without colours.
      const line = low - high > 3 && index > 0 ? 1 : 0;
      return low > high ? `M${left + gap / 2} ${high}H${right - gap / 2}V${low - line}H${left + gap / 2}Z` : '';
    }).join('');
  }

  /** Selects a bucket, or the whole window by -1: the legend shows its numbers. */
  select(index) {
    this.chosen = index;
    const {buckets, totals, series} = this.data;
    const bucket = buckets[index];
    const units = bucket ? bucket.units : totals;
    const sum = units.reduce((a, b) => a + b, 0n);
    const name = bucket ? bucketName(bucket.start, this.view.bucket, this.view.zone) : 'Whole window';
    const largest = units.reduce((a, b) => (a > b ? a : b), 1n);
    this.legend.replaceChildren(
        element('p', {}, name, ' ', decimal(sum)),
        element('ol', {}, ...series.map((one, i) => this.legendEntry(one, i, units[i], sum, largest))));
    if (this.mark) {
      const left = bucket ? this.x(Date.parse(bucket.start)) : 0;
      this.mark.setAttribute('x', left);
      this.mark.setAttribute('width', bucket ? this.x(Date.parse(bucket.end)) - left : 0);
    }
    const parts = series.map((one, i) => `${seriesName(one, this.view)} ${formatDecimal(units[i])}`);
    this.plot.setAttribute('aria-valuemin', 0);
    this.plot.setAttribute('aria-valuemax', buckets.length);
    this.plot.setAttribute('aria-valuenow', index + 1);
    this.plot.setAttribute('aria-valuetext', `${name}: ${formatDecimal(sum)}; ${parts.join('; ')}`);
  }

  legendEntry(one, index, units, sum, largest) {
    const canChoose = this.view.groups.includes(this.view.stack) && !one.isRest;
    const name = one.isRest || !canChoose ? seriesName(one, this.view) : groupValue(one.key);
    const label = canChoose ? element('button', {type: 'button', title: 'Show only these'}, name) : element('span', {}, name);
    if (canChoose) label.addEventListener('click', () => this.choose(one.key));
    const bar = element('span', {class: `meter ${colorOf(one, index)}`});
    bar.style.width = `${Number(units * 1000n / largest) / 10}%`;
    return element('li', {class: colorOf(one, index)}, element('span', {class: 'swatch'}), label,
        decimal(units), element('small', {}, formatShare(units, sum)), bar);
  }

  point(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const isAt = ({start, end}) => this.x(Date.parse(start)) <= x && x < this.x(Date.parse(end));
    const index = this.data.buckets.findIndex(isAt);
    if (index !== this.chosen) this.select(index);
  }

  press(event) {
    const last = this.data.buckets.length - 1;
    const moved = {
      ArrowRight: Math.min(this.chosen + 1, last), ArrowLeft: Math.max(this.chosen - 1, -1),
      Home: 0, End: last, Escape: -1,
    }[event.key];
    if (moved === undefined) return;
    event.preventDefault();
    this.select(moved);
  }
}

/** Returns a sum as a double, for heights only. */
function toNumber(units) {
  return Number(units) / Number(ONE);
}

function heightOf(units) {
  return toNumber(units.reduce((a, b) => a + b, 0n));
}

function colorOf(one, index) {
  return one.isRest ? 'rest' : `series-${index}`;
}

function seriesName(one, view) {
  if (one.isRest) return `${formatCount(one.keys.length)} others`;
  if (one.key === undefined) return view.groups.includes(view.stack) ? 'none' : 'all';
  return one.key === '' ? 'empty' : one.key;
}
