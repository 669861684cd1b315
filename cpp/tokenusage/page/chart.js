// SPDX-License-Identifier: Apache-2.0

// The stacked bars, and the legend with the numbers of a bar.

// If there are more, the smallest are one series.
const MAX_SERIES = 8;
const HEIGHT = 260;
const MARGIN = {
  top: 8,
  right: 4,
  bottom: 24,
  left: 48
};

/** Returns a row's total of a measure, or its record count, in units of 1e-12; 0n if not stated. */
function unitsOf(row, measure) {
  if (measure === 'record_count') return BigInt(row.totals.record_count) * ONE;
  return parseDecimal(row.totals[measure]?.exact ?? '0');
}

/** Returns whether the series of a stack are the same for all rows. */
function isFixedStack(stack) {
  return stack === 'input-output' || stack === 'cache';
}

/** Returns a function from a row to its parts, each [key of the series, units]. */
function partsOfView(view) {
  if (view.stack === 'input-output') {
    return (row) => ['input', 'output'].map((part) => [part, unitsOf(row, `${part}_tokens`)]);
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

/**
 * Sums rows for the chart. Returns the series, largest first unless the stack is fixed, their
 * totals, and the buckets in chronological order.
 */
function chartOfRows(rows, view) {
  const parts = partsOfView(view);
  const all = {sum: 0n, sums: new Map()};
  const buckets = new Map();
  for (const row of rows) {
    const start = row.bucket_start_time;
    if (!buckets.has(start)) {
      buckets.set(start, {start, end: row.bucket_end_time, sum: 0n, sums: new Map()});
    }
    for (const [key, units] of parts(row)) {
      for (const one of [all, buckets.get(start)]) {
        one.sum += units;
        one.sums.set(key, (one.sums.get(key) ?? 0n) + units);
      }
    }
  }
  const keys = [...all.sums.keys()];
  if (!isFixedStack(view.stack))
    keys.sort((a, b) => compareUnits(all.sums.get(b), all.sums.get(a)));
  const named = keys.length > MAX_SERIES ? keys.slice(0, MAX_SERIES - 1) : keys;
  const series = named.map((key) => ({key}));
  if (named.length < keys.length) series.push({rest: keys.length - named.length});
  const unitsIn = ({sum, sums}) => {
    const units = named.map((key) => sums.get(key) ?? 0n);
    if (named.length < keys.length) units.push(units.reduce((left, u) => left - u, sum));
    return units;
  };
  const unitsOfBucket = (one) => ({
    start: one.start,
    from: Date.parse(one.start),
    to: Date.parse(one.end),
    units: unitsIn(one),
  });
  const inOrder = [...buckets.values()].map(unitsOfBucket).sort((a, b) => a.from - b.from);
  return {series, totals: unitsIn(all), buckets: inOrder};
}

/** Returns at most five round values from 0 to at least `max`. */
function axisTicks(max) {
  if (max === 0) return [0, 1];
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  return Array.from({length: Math.ceil(max / step - 1e-9) + 1}, (_, i) => i * step);
}

/** Returns the names on the time axis, some `count` at most: [instant, name]. */
function timeTicks([from, to], bucket, zone, count) {
  const units = {minute: MINUTE, hour: HOUR, week: 7 * DAY};
  const multiples = {
    minute: [1, 5, 15, 60, 180, 360, 720, 1440],
    hour: [1, 3, 6, 12, 24, 48, 168],
    week: [1, 2, 4, 8, 13, 26],
    day: [1, 2, 7, 14, 28, 91, 182],
    month: [1, 2, 3, 6, 12],
  };
  const unit = units[bucket] ?? (bucket === 'month' ? 30.44 * DAY : DAY);
  const fits = (n) => (to - from) / (n * unit) <= count;
  const multiple = multiples[bucket].find(fits) ?? Math.ceil((to - from) / unit / count);
  const ticks = [];
  // Names the middles of buckets, which a clock change does not move into another bucket.
  for (let i = 0;; i += multiple) {
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
  if (bucket === 'hour' && span <= 2 * DAY) return civil.slice(11, 13) + ':00';
  if (bucket === 'minute' && span <= 2 * DAY) return civil.slice(11, 16);
  const style =
      bucket === 'month' ? {month: 'short', year: 'numeric'} : {month: 'short', day: 'numeric'};
  return new Date(civil.slice(0, 10)).toLocaleDateString('en', {...style, timeZone: 'UTC'});
}

const shorten = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3});

/** The chart: bars in the element `plot`, names and numbers in the element `legend`. */
class Chart {
  /** Calls `choose` with the key of a series when its name is clicked. */
  constructor(plot, legend, choose) {
    Object.assign(this, {plot, legend, choose, chosen: -1});
    plot.addEventListener('pointermove', (event) => this.point(event));
    plot.addEventListener('pointerdown', (event) => this.point(event));
    plot.addEventListener('pointerleave', () => this.select(-1));
    plot.addEventListener('blur', () => this.select(-1));
    plot.addEventListener('keydown', (event) => this.press(event));
    new ResizeObserver(() => this.draw()).observe(plot);
  }

  /** Shows these rows. `range` is the time axis: two instants. */
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
    const ticks = axisTicks(buckets.reduce((max, b) => Math.max(max, heightOf(b.units)), 0));
    const [from, to] = this.range;
    this.x = (instant) => MARGIN.left + (right - MARGIN.left) * (instant - from) / (to - from);
    const y = (value) => bottom - (bottom - MARGIN.top) * value / ticks[ticks.length - 1];
    this.mark =
        drawing('rect', {class: 'mark', y: MARGIN.top, height: bottom - MARGIN.top, width: 0});
    const label = (text, x, y, anchor) =>
        drawing('text', {class: 'tick', x, y, 'text-anchor': anchor}, text);
    const line = (tick) => drawing('line', {
      class: tick ? 'grid' : 'axis',
      x1: MARGIN.left,
      x2: right,
      y1: y(tick),
      y2: y(tick),
    });
    const value = (tick) => label(shorten.format(tick), MARGIN.left - 8, y(tick) + 4, 'end');
    const room = Math.max(1, (right - MARGIN.left) / 72);
    const names = timeTicks(this.range, this.view.bucket, this.view.zone, room)
                      .map(([instant, name]) => label(name, this.x(instant), HEIGHT - 6, 'middle'));
    const bars =
        series.map((one, i) => drawing('path', {class: colorOf(one, i), d: this.bars(i, y)}));
    const size = {width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`};
    this.plot.replaceChildren(drawing(
        'svg', {...size, 'aria-hidden': 'true'}, this.mark, ...ticks.map(line), ...ticks.map(value),
        ...names, ...bars));
  }

  /** Returns the SVG path of a series' bars. `y` maps a sum to a height in the plot. */
  bars(index, y) {
    return this.data.buckets
        .map(({from, to, units}) => {
          const [left, right] = [this.x(from), this.x(to)];
          const gap = Math.min(2, (right - left) / 5);
          const below = units.slice(0, index).reduce((sum, u) => sum + u, 0n);
          const [low, high] = [y(toNumber(below)), y(toNumber(below + units[index]))];
          // A gap of one pixel separates the parts for readers who see no colours.
          const line = low - high > 3 && index > 0 ? 1 : 0;
          return low > high ?
              `M${left + gap / 2} ${high}H${right - gap / 2}V${low - line}H${left + gap / 2}Z` :
              '';
        })
        .join('');
  }

  /** Shows the numbers of a bucket in the legend, or those of the whole window if `index` is -1. */
  select(index) {
    this.chosen = index;
    const {buckets, totals, series} = this.data;
    const bucket = buckets[index];
    const units = bucket ? bucket.units : totals;
    const sum = units.reduce((a, b) => a + b, 0n);
    const name =
        bucket ? bucketName(bucket.start, this.view.bucket, this.view.zone) : 'Whole window';
    const largest = units.reduce((a, b) => (a > b ? a : b), 1n);
    this.legend.replaceChildren(
        element('p', {}, name, ' ', decimal(sum)),
        element(
            'ol', {}, ...series.map((one, i) => this.legendEntry(one, i, units[i], sum, largest))));
    if (this.mark) {
      const left = bucket ? this.x(bucket.from) : 0;
      this.mark.setAttribute('x', left);
      this.mark.setAttribute('width', bucket ? this.x(bucket.to) - left : 0);
    }
    const parts =
        series.map((one, i) => `${seriesName(one, this.view)} ${formatDecimal(units[i])}`);
    this.plot.setAttribute('aria-valuemin', 0);
    this.plot.setAttribute('aria-valuemax', buckets.length);
    this.plot.setAttribute('aria-valuenow', index + 1);
    this.plot.setAttribute('aria-valuetext', `${name}: ${formatDecimal(sum)}; ${parts.join('; ')}`);
  }

  legendEntry(one, index, units, sum, largest) {
    const canChoose = this.view.groups.includes(this.view.stack) && !one.rest;
    const name = one.rest || !canChoose ? seriesName(one, this.view) : groupValue(one.key);
    const label = canChoose ? element('button', {type: 'button', title: 'Show only these'}, name) :
                              element('span', {}, name);
    if (canChoose) label.addEventListener('click', () => this.choose(one.key));
    const bar = element('span', {class: `meter ${colorOf(one, index)}`});
    bar.style.width = `${Number(units * 1000n / largest) / 10}%`;
    return element(
        'li', {class: colorOf(one, index)}, element('span', {class: 'swatch'}), label,
        decimal(units), element('small', {}, formatShare(units, sum)), bar);
  }

  point(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const index = this.data.buckets.findIndex(({from, to}) => this.x(from) <= x && x < this.x(to));
    if (index !== this.chosen) this.select(index);
  }

  press(event) {
    const last = this.data.buckets.length - 1;
    const moved = {
      ArrowRight: Math.min(this.chosen + 1, last),
      ArrowLeft: Math.max(this.chosen - 1, -1),
      Home: 0,
      End: last,
      Escape: -1,
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
  return one.rest ? 'rest' : `series-${index}`;
}

function seriesName(one, view) {
  if (one.rest) return `${formatCount(one.rest)} others`;
  if (one.key === undefined) return view.groups.includes(view.stack) ? 'none' : 'all';
  return one.key === '' ? 'empty' : one.key;
}
