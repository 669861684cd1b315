// SPDX-License-Identifier: Apache-2.0

// The table of rows, and the same rows as CSV.

// How many rows are added at a time; 100,000 would make the page slow.
const ROWS_AT_ONCE = 200;

/**
 * Returns the columns of rows with this total. Columns of numbers have `units`, a function from a
 * row to a BigInt of 1e-12, or to undefined if no record states it; the others have `text`.
 */
function columnsOfTotal({totals}, view) {
  const columns = [];
  if (view.bucket !== 'none') {
    const name = (row) => bucketName(row.bucket_start_time, view.bucket, view.zone);
    columns.push({key: 'bucket', name: view.bucket, text: name});
  }
  view.groups.forEach((field, i) => {
    columns.push({key: field, name: field, text: (row) => row.group?.[i]?.value, isGroup: true});
  });
  const counts = {
    record_count: 'records',
    inconsistent_record_count: 'inconsistent',
    unknown_usage_record_count: 'unknown',
  };
  for (const [key, name] of Object.entries(counts)) {
    if (!totals[key]) continue;
    columns.push({key, name, units: (row) => BigInt(row.totals[key] ?? 0) * ONE});
  }
  for (const key of MEASURES) {
    if (!totals[key]) continue;
    columns.push({
      key,
      name: measureName(key).replace(/ tokens$/, ''),
      units: (row) => (row.totals[key] ? parseDecimal(row.totals[key].exact) : undefined),
      stated: (row) => row.totals[key]?.record_count ?? 0,
    });
  }
  return columns;
}

/**
 * Returns the columns of a query by a measure: each row's share in the file's total and, if two
 * windows are compared, the measure in the window before and its change.
 */
function columnsOfOrder(by, file) {
  const isStated = (row) => by === 'record_count' || row.totals[by];
  const now = (row) => (isStated(row) ? unitsOf(row, by) : undefined);
  const whole = now(file.total) || undefined;
  const ratioTo = (other) => (row) => {
    const [part, of] = [now(row), other(row)];
    return part === undefined || !of ? undefined : part * ONE / of;
  };
  const share = {key: 'share', name: 'share', units: ratioTo(() => whole), percent: formatShare};
  if (!file.before) return [share];
  const before = (row) => (row.before === undefined ? undefined : parseDecimal(row.before));
  return [
    share,
    {key: 'before', name: 'before', units: before},
    {key: 'change', name: 'change', units: ratioTo(before), percent: formatChange},
  ];
}

/** Returns the rows sorted by `column`, or largest first by `-column`; missing values are last. */
function sortRows(rows, columns, sort) {
  const column = columns.find(({key}) => key === sort.replace('-', ''));
  if (!column) return rows;
  const sign = sort.startsWith('-') ? -1 : 1;
  const compare = column.units ? compareUnits : (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return rows.map((row) => [column.units ? column.units(row) : column.text(row), row])
      .sort(([a], [b]) => {
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        return sign * compare(a, b);
      })
      .map(([, row]) => row);
}

/** Returns the sum of rows as a row without bucket and group. */
function totalOfRows(rows) {
  const counts = {};
  const sums = {};
  let units;
  for (const {totals, before} of rows) {
    if (before !== undefined) units = (units ?? 0n) + parseDecimal(before);
    for (const [key, value] of Object.entries(totals)) {
      if (!value.exact) {
        counts[key] = (counts[key] ?? 0n) + BigInt(value);
        continue;
      }
      const sum = (sums[key] ??= {units: 0n, record_count: 0n});
      sum.units += parseDecimal(value.exact);
      sum.record_count += BigInt(value.record_count);
    }
  }
  const totals = {record_count: 0n, ...counts};
  for (const [key, {units, record_count}] of Object.entries(sums)) {
    totals[key] = {exact: formatDecimal(units), record_count};
  }
  return units === undefined ? {totals} : {totals, before: formatDecimal(units)};
}

/** The table in the element `place`, and the button `more` that shows further rows. */
class Table {
  /** Calls `sort` with `column`, `-column` or '' when a heading is clicked. */
  constructor(place, more, sort) {
    Object.assign(this, {place, more, sort});
    more.addEventListener('click', () => this.add(ROWS_AT_ONCE));
    // Prints up to 5,000 of the rows that are not shown yet, too.
    window.addEventListener('beforeprint', () => this.add(5000));
  }

  show(rows, columns, total, sort) {
    this.rows = rows;
    this.columns = columns;
    this.shown = 0;
    this.body = element('tbody');
    const first = columns.findIndex((column) => column.units);
    this.widths = columns.map(
        (column) => column.units && !column.percent &&
            Math.max(...rows.slice(0, 5000).concat(total).map(
                (row) => (formatDecimal(column.units(row) ?? 0n).split('.')[1] ?? '').length)));
    const label = first > 0 ? [element('th', {scope: 'row', colspan: first}, 'Total')] : [];
    const sums =
        columns.map((column, i) => column.units && this.cell(column, total, i)).filter(Boolean);
    this.place.replaceChildren(element(
        'table', {}, element('caption', {}, 'Totals by bucket and group'),
        element(
            'thead', {}, element('tr', {}, ...columns.map((column) => this.heading(column, sort)))),
        this.body, element('tfoot', {}, element('tr', {}, ...label, ...sums))));
    this.add(ROWS_AT_ONCE);
  }

  /** Shows more rows. */
  add(count) {
    if (!this.rows) return;
    const end = Math.min(this.shown + count, this.rows.length);
    for (const row of this.rows.slice(this.shown, end)) {
      this.body.append(
          element('tr', {}, ...this.columns.map((column, i) => this.cell(column, row, i))));
    }
    this.shown = end;
    const left = this.rows.length - end;
    this.more.hidden = left === 0;
    this.more.textContent = left > ROWS_AT_ONCE ?
        `Show ${ROWS_AT_ONCE} of ${formatCount(left)} more` :
        `Show ${left} more`;
  }

  heading(column, sort) {
    const isSorted = sort.replace('-', '') === column.key;
    const isDown = sort.startsWith('-');
    const button = element('button', {type: 'button', title: column.key}, column.name);
    // Numbers are sorted largest first; a third click restores the order of the service.
    const [first, second] = column.units ? ['-', ''] : ['', '-'];
    const next = !isSorted        ? first + column.key :
        isDown === Boolean(first) ? second + column.key :
                                    '';
    button.addEventListener('click', () => this.sort(next));
    const order = isDown ? 'descending' : 'ascending';
    return element(
        'th', {
          scope: 'col',
          class: column.units ? 'number' : undefined,
          'aria-sort': isSorted ? order : undefined,
        },
        button);
  }

  cell(column, row, index) {
    if (!column.units) {
      const value = column.text(row);
      return element('td', {}, column.isGroup ? groupValue(value) : value);
    }
    const units = column.units(row);
    if (units === undefined) {
      return element(
          'td', {class: 'number'},
          element('span', {class: 'missing', title: 'no record states it'}, '–'));
    }
    if (column.percent) return element('td', {class: 'number'}, column.percent(units, ONE));
    const cell = element('td', {class: units || column.stated ? 'number' : 'number zero'});
    const [stated, all] = [column.stated?.(row), row.totals.record_count];
    if (stated !== undefined && BigInt(stated) < BigInt(all)) {
      cell.append(element(
          'small', {title: 'of the records state it'},
          `${formatCount(stated)} of ${formatCount(all)}`));
    }
    cell.append(decimal(units, this.widths[index]));
    return cell;
  }
}

/** Returns rows as CSV (RFC 4180), with exact decimals. A missing label is an empty field. */
function csvOfRows(rows, columns, view) {
  const counted = columns.filter((column) => column.units && !column.percent);
  const names = ['bucket_start_time', 'bucket_end_time', ...view.groups];
  const heads = counted.flatMap(({key, stated}) => (stated ? [key, `${key}.record_count`] : [key]));
  const lines = [[...names, ...heads].map(csvText)];
  for (const row of rows) {
    const groups = view.groups.map((_, i) => csvText(row.group?.[i]?.value));
    const numbers = counted.flatMap(({units, stated}) => {
      const sum = units(row);
      const text = sum === undefined ? '' : formatDecimal(sum);
      return stated ? [text, stated(row)] : [text];
    });
    lines.push([row.bucket_start_time, row.bucket_end_time, ...groups, ...numbers]);
  }
  return lines.map((line) => line.join(',') + '\r\n').join('');
}

function csvText(text) {
  if (text === undefined) return '';
  // A spreadsheet would take text that begins like this for a formula.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return text === '' || /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
