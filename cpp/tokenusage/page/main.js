// SPDX-License-Identifier: Apache-2.0

// The page: shows what the address asks for, from the service or from the file's own answer.

const ROW_LIMIT = 100000;
const TILES = [
  ['total_tokens', 'total'], ['input_tokens', 'input tokens'], ['output_tokens', 'output tokens'],
  ['cache_read_tokens', 'cache reads'], ['cost_usd', 'cost'],
];

class Page {
  constructor(file) {
    this.file = file;
    this.rows = file?.rows ?? [];
    this.isComplete = true;
    this.token = '';
    this.form = byId('controls');
    this.chart = new Chart(byId('plot'), byId('legend'), (key) => this.filterStack(key));
    this.table = new Table(byId('table'), byId('more'), (sort) => this.change({sort}));
    document.body.classList.add(file ? 'file' : 'live');
    byId('app').hidden = false;
    byId('question').hidden = Boolean(file);
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
      byId('zones').append(...Intl.supportedValuesOf('timeZone').map((value) => element('option', {value})));
      await this.loadProjects();
    }
    this.open();
  }

  /** Asks for the projects; without them, or an answer, a name can still be typed. */
  async loadProjects() {
    try {
      this.projects = await listProjects(this.token);
    } catch (error) {
      if (error.code === 'unauthenticated') return;
      this.projects = [];
    }
    const names = this.projects.length > 1 ? ['-', ...this.projects] : this.projects;
    byId('projects').replaceChildren(...names.map((value) =>
      element('option', {value, label: value === '-' ? 'all projects' : value})));
  }

  /** Shows a changed view by going to its address. */
  change(changes) {
    const address = addressOfView({...this.view, ...changes}, Boolean(this.file));
    if (address === location.hash) this.open();
    else location.hash = address;
  }

  /** Shows the view of the address. */
  open() {
    const view = viewOfAddress(location.hash);
    if (!view.project) view.project = this.projects?.length > 1 ? '-' : this.projects?.[0] ?? '';
    if (this.file) Object.assign(view, viewOfRequest(this.file.request));
    if (!['input-output', 'cache', ...view.groups].includes(view.stack)) view.stack = view.groups[0] ?? '';
    this.view = view;
    this.showControls();
    if (this.file) return this.show();
    let request;
    try {
      request = requestOfView(view);
    } catch (error) {
      // Of Intl, and of Date for a time that is none.
      return this.showError(`The window is not valid: ${error.message}.`);
    }
    const question = JSON.stringify(request);
    if (question === this.question) this.show();
    else this.load(request, question);
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
        if (this.projects) return this.showError('Choose a project: the service lists none that you may query.');
      }
      const options = {token: this.token, signal: calls.signal, limit: ROW_LIMIT, progress};
      const {rows, isComplete} = await queryRows(request, options);
      Object.assign(this, {rows, isComplete, question});
      this.show();
    } catch (error) {
      if (calls.signal.aborted) return;
      this.showError(error.message);
      if (error.code === 'unauthenticated') this.askToken(error.message);
      else if (!(error instanceof ServiceError)) throw error;
    }
  }

  /** Shows an error in place of the numbers, or none. */
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
    form.preset.replaceChildren(...windows.map(([name]) => element('option', {}, name)),
        ...(current ? [] : [element('option', {}, 'Custom')]));
    form.preset.value = current?.[0] ?? 'Custom';
    for (const name of ['start', 'end']) {
      form[name].type = /T/.test(view[name]) ? 'text' : 'date';
      [form[name].min, form[name].max] = [FIRST_DAY, LAST_DAY];
    }
    for (const name of ['project', 'start', 'end', 'zone', 'bucket']) form[name].value = view[name];
    for (const box of form.group) box.checked = view.groups.includes(box.value);
    const keys = view.groups.filter((field) => field.startsWith('labels.')).map((field) => field.slice(7));
    form.labels.value = keys.join(',');
    byId('chips').replaceChildren(...filterFlags(view.filters).map(([, text]) => {
      const shown = text.includes('=') ? text : `without ${text}`;
      const chip = element('button', {type: 'button', 'aria-label': `Remove filter ${shown}`},
          element('bdi', {}, shown), element('span', {'aria-hidden': 'true'}, ' ×'));
      chip.addEventListener('click', () => this.change({filters: removeFilter(view.filters, text)}));
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
      this.change({groups: [...view.groups.filter((f) => fields.includes(f)), ...fields.filter((f) => !view.groups.includes(f))]});
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
      form.filter.setCustomValidity('Write FIELD=VALUE, or labels.KEY for records without that label.');
    } else if (this.file && !view.groups.includes(field)) {
      form.filter.setCustomValidity(`This file is grouped by ${view.groups.join(', ') || 'nothing'}.`);
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

  /** Shows the rows that are there. */
  show() {
    const {view, file} = this;
    const rows = file ? this.rows.filter((row) => matchesFilters(row, view.filters)) : this.rows;
    const total = totalOfRows(rows);
    const columns = columnsOfRows(rows, view);
    this.shown = {rows: sortRows(rows, columns, view.sort), columns};
    this.showError('');
    document.title = `Token usage: ${view.project === '-' ? 'all projects' : view.project}`;
    byId('subject').textContent = this.subject();
    byId('row-count').textContent = formatCount(rows.length);
    byId('status').textContent = rows.length ? '' : 'No records match. Choose another window, or remove a filter.';
    this.showCommands(total);
    const main = document.querySelector('main');
    main.classList.remove('stale');
    main.hidden = rows.length === 0;
    if (rows.length === 0) return;
    this.showTotals(total);
    this.showChart(rows, total);
    this.table.show(this.shown.rows, columns, total, view.sort);
    this.suggest(rows);
  }

  subject() {
    const {view, file} = this;
    const isAll = view.start === FIRST_DAY && view.end === LAST_DAY;
    return [
      view.project === '-' ? 'All projects' : view.project,
      isAll ? 'all time' : `${view.start} to ${view.end} (exclusive)`,
      view.zone || 'UTC',
      ...filterFlags(file ? file.request.filters ?? [] : view.filters).map(([, text]) => text),
      ...(file ? [`as of ${file.query_time}`] : []),
    ].join(' · ');
  }

  showTotals(total) {
    const {totals} = total;
    const input = totals.input_tokens && unitsOf(total, 'input_tokens');
    const hints = {
      input_tokens: totals.output_tokens && input && `${formatShare(input, input + unitsOf(total, 'output_tokens'))} of input + output`,
      output_tokens: input && totals.output_tokens && `${formatShare(unitsOf(total, 'output_tokens'), input + unitsOf(total, 'output_tokens'))} of input + output`,
      cache_read_tokens: input && totals.cache_read_tokens && `${formatShare(unitsOf(total, 'cache_read_tokens'), input)} of the input`,
    };
    byId('totals').replaceChildren(...TILES.map(([key, name]) => {
      const stated = totals[key]?.record_count ?? 0n;
      const none = totals.record_count - BigInt(stated);
      const gap = `${formatCount(none)} of ${formatCount(totals.record_count)} records state no ${name}`;
      return element('div', {},
          element('dt', {}, key === 'cost_usd' ? 'Cost, USD' : capitalize(name.replace(/^total$/, 'total tokens'))),
          element('dd', {id: `total-${key}`}, stated ? decimal(unitsOf(total, key)) : '–'),
          stated && hints[key] ? element('dd', {class: 'hint'}, hints[key]) : '',
          none > 0n ? element('dd', {class: 'gap'}, stated ? gap : 'no record states it') : '');
    }), element('div', {}, element('dt', {}, 'Records'), element('dd', {id: 'total-record_count'}, formatCount(totals.record_count))));
    this.showNotes(totals);
  }

  showNotes(totals) {
    const notes = [];
    const of = (count) => `${formatCount(count)} of ${formatCount(totals.record_count)} records`;
    if (!this.isComplete) {
      notes.push(`Only the first ${formatCount(this.rows.length)} rows were read, so all sums are too small. Choose a coarser bucket or fewer groups.`);
    }
    if (totals.inconsistent_record_count) {
      notes.push(`${of(totals.inconsistent_record_count)} contradict themselves. They are counted as stated; the command below lists them.`);
    }
    if (totals.unknown_usage_record_count) {
      notes.push(`${of(totals.unknown_usage_record_count)} are calls whose usage the provider did not state. The sums are too small by these.`);
    }
    byId('notes').replaceChildren(...notes.map((note) => element('li', {}, note)));
  }

  showChart(rows, total) {
    const {view} = this;
    const measures = MEASURES.filter((key) => total.totals[key]);
    const measure = measures.includes(view.measure) ? view.measure :
        view.measure === 'record_count' ? view.measure : measures[0] ?? 'record_count';
    byId('measure').replaceChildren(...[...measures, 'record_count'].map((value) => element('option', {value}, measureName(value))));
    byId('measure').value = measure;
    const stacks = view.groups.map((field) => [field, field]);
    if (!stacks.length) stacks.push(['', 'nothing']);
    stacks.push(['input-output', 'input and output'], ['cache', 'cached and not']);
    byId('stack').replaceChildren(...stacks.map(([value, name]) => element('option', {value}, name)));
    byId('stack').value = view.stack;
    const fixed = {'input-output': 'Input and output tokens', cache: 'Input tokens'}[view.stack];
    byId('measure').disabled = Boolean(fixed);
    const name = fixed ?? capitalize(measureName(measure));
    byId('chart-title').textContent = view.bucket === 'none' ? name : `${name} by ${view.bucket}`;
    byId('chart').className = view.bucket === 'none' ? 'flat' : '';
    // The window of all time is mostly empty: only what holds rows is shown.
    const starts = rows.map((row) => Date.parse(row.bucket_start_time));
    const ends = rows.map((row) => Date.parse(row.bucket_end_time));
    const least = (values) => values.reduce((a, b) => Math.min(a, b));
    const from = view.start === FIRST_DAY ? least(starts) : Date.parse(instantOf(view.start, view.zone));
    const to = view.end === LAST_DAY ? -least(ends.map((end) => -end)) : Date.parse(instantOf(view.end, view.zone));
    this.chart.show(rows, {...view, measure}, [from, to]);
  }

  showCommands(total) {
    const {view, file} = this;
    const filters = file ? [...filterFlags(file.request.filters ?? []), ...filterFlags(view.filters)]
        .reduce((all, [, text]) => addFilter(all, text), []) : view.filters;
    const asked = {...view, filters};
    const commands = [commandOfView(asked)];
    if (!file) commands.push(curlOfView(asked, location.origin, Boolean(this.token)));
    if (total.totals.inconsistent_record_count) commands.push(commandOfView(asked, 'list'));
    byId('commands').replaceChildren(byId('commands').querySelector('summary'), ...commands.map((text) => {
      const code = element('code', {}, text);
      const button = element('button', {type: 'button'}, 'Copy');
      button.addEventListener('click', async () => {
        try {
          await navigator.clipboard.writeText(text);
          button.textContent = 'Copied';
        } catch {
          // Over plain HTTP there is no clipboard.
          getSelection().selectAllChildren(code);
          button.textContent = 'Selected';
        }
      });
      return element('div', {class: 'command'}, element('pre', {tabindex: 0}, code), button);
    }));
  }

  suggest(rows) {
    const found = new Set();
    for (const {group = []} of rows) {
      for (const {field, value} of group) found.add(value === undefined ? field : `${field}=${value}`);
      if (found.size > 200) break;
    }
    byId('suggestions').replaceChildren(...[...found].sort().map((value) => element('option', {value})));
  }

  download() {
    const {rows, columns} = this.shown;
    const url = URL.createObjectURL(new Blob([csvOfRows(rows, columns, this.view)], {type: 'text/csv'}));
    const name = `usage-${this.view.project === '-' ? 'all' : this.view.project}-${this.view.start}.csv`;
    element('a', {href: url, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(url), MINUTE);
  }
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
