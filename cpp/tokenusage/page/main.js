// SPDX-License-Identifier: Apache-2.0

// The page: shows what its address asks for, from the service or, in a file, from the answer there.

const ROW_LIMIT = 100000;
// Measure, title, and the measure's name in `36 of 39 records state no ...`.
const TILES = [
  ['total_tokens', 'Total tokens', 'total'],
  ['input_tokens', 'Input tokens', 'input tokens'],
  ['output_tokens', 'Output tokens', 'output tokens'],
  ['cache_read_tokens', 'Cache reads', 'cache reads'],
  ['cost_usd', 'Cost, USD', 'cost'],
];

/**
 * The page. Shows the view of the address, and goes to the address of a changed view. `file` is the
 * answer in a file (PageAnswer.json in page.h), or null if the page asks the service.
 */
class Page {
  constructor(file) {
    this.file = file;
    this.rows = file?.rows ?? [];
    this.isComplete = file?.is_complete ?? true;
    this.token = '';
    this.form = byId('controls');
    this.chart = new Chart(byId('plot'), byId('legend'), (key) => this.filterStack(key));
    this.table = new Table(byId('table'), byId('more'), (sort) => this.change({sort}));
    document.body.classList.add(file ? 'file' : 'live');
    byId('app').hidden = false;
    this.form.addEventListener('submit', (event) => this.addFilter(event));
    this.form.addEventListener('change', (event) => this.changeControl(event.target));
    this.form.filter.addEventListener('input', () => this.form.filter.setCustomValidity(''));
    for (const name of ['measure', 'stack']) {
      byId(name).addEventListener('change', (event) => this.change({[name]: event.target.value}));
    }
    byId('csv').addEventListener('click', () => this.download());
    byId('change-token').addEventListener('click', () => this.askToken(''));
    byId('token-form').addEventListener('submit', (event) => this.takeToken(event));
    window.addEventListener('hashchange', () => this.open());
  }

  async start() {
    if (!this.file) {
      byId('zones').append(
          ...Intl.supportedValuesOf('timeZone').map((value) => element('option', {value})));
      await this.loadProjects();
    }
    this.open();
  }

  /** Reads the names of the projects. If that fails, a name can still be typed. */
  async loadProjects() {
    try {
      this.projects = await listProjects(this.token);
    } catch (error) {
      if (error.code === 'unauthenticated') return;
      this.projects = [];
    }
    const names = this.projects.length > 1 ? ['-', ...this.projects] : this.projects;
    byId('projects')
        .replaceChildren(...names.map(
            (value) => element('option', {value, label: value === '-' ? 'all projects' : value})));
  }

  /** Shows a changed view by going to its address. */
  change(changes) {
    const address = addressOfView({...this.view, ...changes}, Boolean(this.file));
    if (address === location.hash)
      this.open();
    else
      location.hash = address;
  }

  /** Shows the view of the address. */
  open() {
    const view = viewOfAddress(location.hash);
    if (!view.project) view.project = this.projects?.length > 1 ? '-' : this.projects?.[0] ?? '';
    if (this.file) Object.assign(view, viewOfFile(this.file));
    view.measure ||= view.by || 'total_tokens';
    const isStack = isFixedStack(view.stack) || view.groups.includes(view.stack);
    if (!isStack) view.stack = view.groups[0] ?? '';
    this.view = view;
    this.showControls();
    if (this.file) return this.show();
    let request;
    try {
      request = requestOfView(view);
    } catch (error) {
      // Intl throws for an unknown zone, and Date for an impossible date.
      return this.showError(`The window is not valid: ${error.message}.`);
    }
    const question = JSON.stringify(request);
    if (question === this.question)
      this.show();
    else
      this.load(request, question);
  }

  async load(request, question) {
    this.calls?.abort();
    this.question = undefined;
    const calls = this.calls = new AbortController();
    this.showError('');
    const progress = (count) => {
      if (!calls.signal.aborted) byId('status').textContent = `Loading: ${formatCount(count)} rows`;
    };
    progress(0);
    document.querySelector('main').classList.add('stale');
    try {
      if (!this.projects) await this.loadProjects();
      if (!this.view.project) {
        if (this.projects?.length) return this.open();
        if (this.projects)
          return this.showError('Choose a project: the service lists none that you may query.');
      }
      const options = {token: this.token, signal: calls.signal, limit: ROW_LIMIT, progress};
      const {rows, isComplete} = await queryRows(request, options);
      Object.assign(this, {rows, isComplete, question});
      this.show();
    } catch (error) {
      if (calls.signal.aborted) return;
      this.showError(error.message);
      if (error.code === 'unauthenticated')
        this.askToken(error.message);
      else if (!(error instanceof ServiceError))
        throw error;
    }
  }

  /** Shows an error instead of the numbers; an empty message only removes an earlier error. */
  showError(message) {
    byId('status').textContent = '';
    byId('error').replaceChildren();
    if (!message) return;
    document.querySelector('main').hidden = true;
    const retry = element('button', {type: 'button'}, 'Try again');
    retry.addEventListener('click', () => this.open());
    byId('error').append(element('p', {}, message), retry);
  }

  askToken(message) {
    const reason = this.token && message ? `The service refused this token: ${message}` : message;
    byId('token-reason').textContent = reason;
    byId('token').value = '';
    if (!byId('token-dialog').open) byId('token-dialog').showModal();
  }

  takeToken(event) {
    event.preventDefault();
    this.token = byId('token').value.trim();
    byId('token').value = '';
    byId('token-dialog').close();
    byId('change-token').hidden = false;
    this.projects = this.question = undefined;
    this.open();
  }

  showControls() {
    const {form, view} = this;
    const windows = presets(view.zone === '' || isZone(view.zone) ? view.zone : '');
    const current = windows.find(([, start, end]) => start === view.start && end === view.end);
    form.preset.replaceChildren(
        ...windows.map(([name]) => element('option', {}, name)),
        ...(current ? [] : [element('option', {}, 'Custom')]));
    form.preset.value = current?.[0] ?? 'Custom';
    for (const name of ['start', 'end']) {
      form[name].type = isDate(view[name]) ? 'date' : 'text';
      [form[name].min, form[name].max] = [FIRST_DAY, LAST_DAY];
    }
    for (const name of ['project', 'start', 'end', 'zone', 'bucket']) form[name].value = view[name];
    for (const box of form.group) box.checked = view.groups.includes(box.value);
    const keys =
        view.groups.filter((field) => field.startsWith('labels.')).map((field) => field.slice(7));
    form.labels.value = keys.join(',');
    byId('chips').replaceChildren(...filterFlags(view.filters).map(([, text]) => {
      const shown = text.includes('=') ? text : `without ${text}`;
      const chip = element(
          'button', {type: 'button', 'aria-label': `Remove filter ${shown}`},
          element('bdi', {}, shown), element('span', {'aria-hidden': 'true'}, ' ×'));
      chip.addEventListener(
          'click', () => this.change({filters: removeFilter(view.filters, text)}));
      return element('li', {}, chip);
    }));
  }

  changeControl(control) {
    const {form, view} = this;
    if (control === form.filter || !control.reportValidity()) return;
    if (control === form.preset) {
      const chosen = presets(view.zone).find(([name]) => name === control.value);
      if (chosen) this.change({start: chosen[1], end: chosen[2]});
    } else if (control === form.labels || control.name === 'group') {
      const keys = form.labels.value.split(',').map((key) => key.trim()).filter(Boolean);
      const chosen = [...form.group].filter((box) => box.checked).map((box) => box.value);
      const fields = [...chosen, ...keys.map((key) => `labels.${key}`)];
      // Fields that were chosen before keep their order.
      this.change({
        groups: [
          ...view.groups.filter((f) => fields.includes(f)),
          ...fields.filter((f) => !view.groups.includes(f))
        ]
      });
    } else {
      this.change({[control.name]: control.value.trim()});
    }
  }

  addFilter(event) {
    event.preventDefault();
    const {form, view} = this;
    const text = form.filter.value.trim();
    if (!text) return;
    const field = text.split('=')[0];
    if (!text.includes('=') && !text.startsWith('labels.')) {
      form.filter.setCustomValidity(
          'Write FIELD=VALUE, or labels.KEY for records without that label.');
    } else if (this.file && !view.groups.includes(field)) {
      form.filter.setCustomValidity(
          `This file is grouped by ${view.groups.join(', ') || 'nothing'}.`);
    }
    if (!form.filter.reportValidity()) return;
    form.filter.value = '';
    this.change({filters: addFilter(view.filters, text)});
  }

  /** Filters by a series of the chart. */
  filterStack(key) {
    const {stack, filters} = this.view;
    this.change({filters: addFilter(filters, key === undefined ? stack : `${stack}=${key}`)});
  }

  /** Sums the rows that match the view's filters, unless the last summary is still right. */
  summarize() {
    const {view, file, rows} = this;
    const filters = JSON.stringify(file ? view.filters : []);
    if (this.summary?.from === rows && this.summary.filters === filters) return;
    const left = file ? rows.filter((row) => matchesFilters(row, view.filters)) : rows;
    // A file has the total of all rows, including those that it leaves out.
    const isWhole = file && !view.filters.length;
    const total = totalOfRows(isWhole ? [file.total] : left);
    const columns = columnsOfTotal(total, view);
    if (view.by) columns.push(...columnsOfOrder(view.by, file));
    this.summary = {from: rows, filters, rows: left, total, columns};
  }

  /** Shows the rows that were read last. */
  show() {
    const {view} = this;
    this.summarize();
    const {rows, total, columns} = this.summary;
    this.sorted = sortRows(rows, columns, view.sort);
    this.showError('');
    document.title = `Token usage: ${view.project === '-' ? 'all projects' : view.project}`;
    byId('subject').textContent = this.subject();
    byId('row-count').textContent = formatCount(rows.length);
    byId('status').textContent =
        rows.length ? '' : 'No records match. Choose another window, or remove a filter.';
    this.showCommands(total);
    const main = document.querySelector('main');
    main.classList.remove('stale');
    main.hidden = rows.length === 0;
    if (rows.length === 0) return;
    this.showTotals(total);
    this.showChart(rows, total);
    this.table.show(this.sorted, columns, total, view.sort);
    this.suggest(rows);
  }

  subject() {
    const {view, file} = this;
    const isAll = view.start === FIRST_DAY && view.end === LAST_DAY;
    return [
      view.project === '-' ? 'All projects' : view.project,
      isAll ? 'all time' : `${view.start} to ${view.end} (exclusive)`,
      view.zone || 'UTC',
      ...(view.by ? [`by ${view.by}`] : []),
      ...(view.isCompared ? [`before: ${spanOf(file.before, view.zone)}`] : []),
      ...filterFlags(file ? file.request.filters ?? [] : view.filters).map(([, text]) => text),
      ...(file ? [`as of ${file.query_time}`] : []),
    ].join(' · ');
  }

  showTotals(total) {
    const {totals} = total;
    const shares = {};
    if (totals.input_tokens && totals.output_tokens) {
      const [input, output] = [unitsOf(total, 'input_tokens'), unitsOf(total, 'output_tokens')];
      shares.input_tokens = `${formatShare(input, input + output)} of input + output`;
      shares.output_tokens = `${formatShare(output, input + output)} of input + output`;
    }
    if (totals.input_tokens && totals.cache_read_tokens) {
      const read = unitsOf(total, 'cache_read_tokens');
      shares.cache_read_tokens =
          `${formatShare(read, unitsOf(total, 'input_tokens'))} of the input`;
    }
    const tile = ([key, title, noun]) => {
      const value = totals[key] ? decimal(unitsOf(total, key)) : '–';
      const isLong = totals[key]?.exact.length > 12;
      return element(
          'div', {}, element('dt', {}, title),
          element('dd', {id: `total-${key}`, class: isLong ? 'long' : undefined}, value),
          ...(shares[key] ? [element('dd', {class: 'hint'}, shares[key])] : []),
          ...this.coverage(totals, key, noun));
    };
    const records = element(
        'div', {}, element('dt', {}, 'Records'),
        element('dd', {id: 'total-record_count'}, formatCount(totals.record_count)));
    byId('totals').replaceChildren(...TILES.map(tile), records);
    this.showNotes(totals);
  }

  /** Says how many records do not state a measure. */
  coverage(totals, key, noun) {
    const none = totals.record_count - (totals[key]?.record_count ?? 0n);
    // Records of calls whose usage is unknown state nothing; a note of their own says so.
    if (none <= (totals.unknown_usage_record_count ?? 0n)) return [];
    const text = totals[key] ?
        `${formatCount(none)} of ${formatCount(totals.record_count)} records state no ${noun}` :
        'no record states it';
    return [element('dd', {class: 'gap'}, text)];
  }

  showNotes(totals) {
    const notes = [];
    const of = (count) => `${formatCount(count)} of ${formatCount(totals.record_count)} records`;
    if (!this.isComplete) {
      const rows = formatCount(this.rows.length);
      notes.push(
          this.file ? 'Only the largest rows are here. Totals are of all rows, ' +
                  'unless a filter is added here; the chart is of these.' :
                      `Only the first ${rows} rows are here, so all sums are too small. ` +
                  'Choose a coarser bucket or fewer groups.');
    }
    if (totals.inconsistent_record_count) {
      notes.push(`${
          of(totals
                 .inconsistent_record_count)} contradict themselves. They are counted as stated; the command below lists them.`);
    }
    if (totals.unknown_usage_record_count) {
      notes.push(`${
          of(totals
                 .unknown_usage_record_count)} are calls whose usage the provider did not state. The sums are too small by these.`);
    }
    byId('notes').replaceChildren(...notes.map((note) => element('li', {}, note)));
  }

  showChart(rows, {totals}) {
    const {view} = this;
    const measures = [...MEASURES.filter((key) => totals[key]), 'record_count'];
    const measure = measures.includes(view.measure) ? view.measure : measures[0];
    setOptions(byId('measure'), measures.map((key) => [key, measureName(key)]), measure);
    byId('measure').disabled = isFixedStack(view.stack);
    const groups =
        view.groups.length ? view.groups.map((field) => [field, field]) : [['', 'nothing']];
    const stacks = [...groups, ['input-output', 'input and output'], ['cache', 'cached and not']];
    setOptions(byId('stack'), stacks, view.stack);
    const fixed = {'input-output': 'Input and output tokens', cache: 'Input tokens'}[view.stack];
    const name = fixed ?? capitalize(measureName(measure));
    byId('chart-title').textContent = view.bucket === 'none' ? name : `${name} by ${view.bucket}`;
    byId('chart').className = view.bucket === 'none' ? 'flat' : '';
    this.chart.show(rows, {...view, measure}, this.range(rows));
  }

  /** Returns the window as two instants. An end that is not limited is that of the rows. */
  range(rows) {
    const {start, end, zone} = this.view;
    const min = (a, b) => Math.min(a, Date.parse(b.bucket_start_time));
    const max = (a, b) => Math.max(a, Date.parse(b.bucket_end_time));
    return [
      start === FIRST_DAY ? rows.reduce(min, Infinity) : Date.parse(instantOf(start, zone)),
      end === LAST_DAY ? rows.reduce(max, -Infinity) : Date.parse(instantOf(end, zone)),
    ];
  }

  showCommands(total) {
    const {view, file} = this;
    const filters = file ?
        [...filterFlags(file.request.filters ?? []), ...filterFlags(view.filters)].reduce(
            (all, [, text]) => addFilter(all, text), []) :
        view.filters;
    const asked = {...view, filters};
    const commands = [commandOfView(asked)];
    if (!file) commands.push(curlOfView(asked, location.origin, Boolean(this.token)));
    if (total.totals.inconsistent_record_count) commands.push(commandOfView(asked, 'list'));
    const summary = byId('commands').querySelector('summary');
    byId('commands').replaceChildren(summary, ...commands.map(commandToCopy));
  }

  suggest(rows) {
    const found = new Set();
    for (const {group = []} of rows) {
      for (const {field, value} of group)
        found.add(value === undefined ? field : `${field}=${value}`);
      if (found.size > 200) break;
    }
    byId('suggestions')
        .replaceChildren(...[...found].sort().map((value) => element('option', {value})));
  }

  download() {
    const csv = csvOfRows(this.sorted, this.summary.columns, this.view);
    const url = URL.createObjectURL(new Blob([csv], {type: 'text/csv'}));
    const name =
        `usage-${this.view.project === '-' ? 'all' : this.view.project}-${this.view.start}.csv`;
    element('a', {href: url, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(url), MINUTE);
  }
}

function setOptions(select, options, value) {
  select.replaceChildren(...options.map(([value, name]) => element('option', {value}, name)));
  select.value = value;
}

/** Returns a command with a button that copies it. */
function commandToCopy(text) {
  const code = element('code', {}, text);
  const button = element('button', {type: 'button'}, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      // Browsers allow no access to the clipboard over plain HTTP.
      getSelection().selectAllChildren(code);
      button.textContent = 'Selected';
    }
  });
  return element('div', {class: 'command'}, element('pre', {tabindex: 0}, code), button);
}

function spanOf({start_time, end_time}, zone) {
  return `${shortTime(start_time, zone)} to ${shortTime(end_time, zone)} (exclusive)`;
}

function isZone(zone) {
  try {
    return Boolean(civilTime(0, zone));
  } catch {
    return false;
  }
}

const answer = byId('answer');
new Page(answer && JSON.parse(answer.textContent)).start();
