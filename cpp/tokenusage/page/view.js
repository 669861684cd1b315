// SPDX-License-Identifier: Apache-2.0

// A view: what is asked and how it is shown. The fragment of the page's address holds the view,
// so a link shows it again.

// In the order of UsageTotals.
const MEASURES = [
  'total_tokens',
  'input_tokens',
  'output_tokens',
  'input_text_tokens',
  'input_image_tokens',
  'input_audio_tokens',
  'input_video_tokens',
  'input_document_tokens',
  'cache_read_tokens',
  'cache_read_text_tokens',
  'cache_read_image_tokens',
  'cache_read_audio_tokens',
  'cache_read_video_tokens',
  'cache_write_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
  'tool_result_tokens',
  'output_text_tokens',
  'output_image_tokens',
  'output_audio_tokens',
  'output_video_tokens',
  'reasoning_tokens',
  'accepted_prediction_tokens',
  'rejected_prediction_tokens',
  'billed_input_tokens',
  'billed_output_tokens',
  'input_audio_seconds',
  'images',
  'pages',
  'characters',
  'search_units',
  'web_search_requests',
  'tool_calls',
  'cost_usd',
];

/** Returns a measure's name for people: `cache read tokens`. */
function measureName(measure) {
  return measure === 'cost_usd' ? 'cost in USD' :
                                  measure.replace(/_/g, ' ').replace('record count', 'records');
}

function capitalize(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const METHODS = '/tokenusage.v1.UsageReportingService/';
// The first and the last time that the service accepts: the window of all records.
const FIRST_DAY = '2000-01-01';
const LAST_DAY = '2200-01-01';

/** Returns the view of an address's fragment. Members that it leaves out have their defaults. */
function viewOfAddress(address) {
  const given = new URLSearchParams(address.replace(/^#/, ''));
  const zone = given.get('time-zone') ?? '';
  const [, start, end] = presets('').find(([name]) => name === 'Last 30 days');
  const list = (text) => text.split(',').filter(Boolean);
  const view = {
    project: given.get('project') ?? '',
    start: given.get('start') ?? start,
    end: given.get('end') ?? end,
    zone,
    bucket: given.get('bucket') ?? 'day',
    groups: list(given.get('group-by') ?? 'model'),
    filters: [],
    measure: given.get('show') ?? '',
    stack: given.get('stack') ?? '',
    sort: given.get('sort') ?? '',
  };
  for (const text of [...given.getAll('filter'), ...given.getAll('filter-missing')]) {
    view.filters = addFilter(view.filters, text);
  }
  return view;
}

/** Returns a view as a fragment. In a file, it leaves out what the file's answer determines. */
function addressOfView(view, isFile) {
  const question = {
    project: view.project,
    start: view.start,
    end: view.end,
    'time-zone': view.zone,
    bucket: view.bucket,
    'group-by': view.groups.join(','),
  };
  const look = {show: view.measure, stack: view.stack, sort: view.sort};
  const address = new URLSearchParams();
  for (const [name, value] of Object.entries(isFile ? look : {...question, ...look})) {
    if (value || name === 'group-by') address.set(name, value);
  }
  for (const [flag, text] of filterFlags(view.filters)) address.append(flag, text);
  return '#' + address;
}

/** Returns the members of a view that are determined by the request that a file answers. */
function viewOfFile({request, top, before}) {
  const zone = request.time_zone ?? '';
  return {
    project: request.project,
    start: shortTime(request.start_time, zone),
    end: shortTime(request.end_time, zone),
    zone,
    bucket: (request.bucket ?? 'TIME_BUCKET_NONE').replace('TIME_BUCKET_', '').toLowerCase(),
    groups: request.group_by ?? [],
    by: request.order_by,
    top,
    isCompared: Boolean(before),
  };
}

/** Returns a view's QueryUsageRequest. */
function requestOfView(view) {
  const request = {
    project: view.project,
    start_time: instantOf(view.start, view.zone),
    end_time: instantOf(view.end, view.zone),
    bucket: `TIME_BUCKET_${view.bucket.toUpperCase()}`,
  };
  if (view.zone) request.time_zone = view.zone;
  if (view.groups.length) request.group_by = view.groups;
  if (view.filters.length) request.filters = view.filters;
  return request;
}

/** Adds `FIELD=VALUE`, or `labels.KEY` for records without the label, to filters. */
function addFilter(filters, text) {
  const [, field, value] = /^([^=]*)=?([^]*)$/.exec(text);
  const filter = filters.find((f) => f.field === field) ?? {field};
  const added = {...filter};
  if (!text.includes('='))
    added.match_missing = true;
  else
    added.values = [...new Set([...(filter.values ?? []), value])];
  return [...filters.filter((f) => f !== filter), added];
}

function removeFilter(filters, text) {
  return filterFlags(filters)
      .map(([, other]) => other)
      .filter((other) => other !== text)
      .reduce(addFilter, []);
}

/** Returns filters as flags of `tokenusage query`: [name, value]. */
function filterFlags(filters) {
  return filters.flatMap(
      ({field, values = [], match_missing}) =>
          [...values.map((value) => ['filter', `${field}=${value}`]),
           ...(match_missing ? [['filter-missing', field]] : []),
  ]);
}

/** Returns whether a row matches those filters that are on fields that it is grouped by. */
function matchesFilters(row, filters) {
  return filters.every(({field, values = [], match_missing}) => {
    const group = (row.group ?? []).find((g) => g.field === field);
    if (!group) return true;
    return group.value === undefined ? match_missing : values.includes(group.value);
  });
}

function quote(word) {
  return /^[\w@%+=:,.\/-]+$/.test(word) ? word : `'${word.replace(/'/g, '\'\\\'\'')}'`;
}

/** Returns the `tokenusage` command that asks the same. */
function commandOfView(view, command = 'query') {
  const flags = [`project=${view.project}`];
  if (view.start !== FIRST_DAY) flags.push(`start=${view.start}`);
  if (view.end !== LAST_DAY) flags.push(`end=${view.end}`);
  if (view.zone) flags.push(`time-zone=${view.zone}`);
  if (command === 'query') {
    if (view.bucket !== 'none') flags.push(`bucket=${view.bucket}`);
    if (view.groups.length) flags.push(`group-by=${view.groups.join(',')}`);
    if (view.by) flags.push(`by=${view.by}`);
    if (view.top) flags.push(`top=${view.top}`);
    if (view.isCompared) flags.push('compare');
  } else {
    flags.push('inconsistent');
  }
  flags.push(...filterFlags(view.filters).map(([name, value]) => `${name}=${value}`));
  return ['tokenusage', command, ...flags.map((flag) => quote('--' + flag))].join(' ');
}

/** Returns the curl command that asks the same. */
function curlOfView(view, origin, hasToken) {
  const words = ['curl -sS -H \'Content-Type: application/json\''];
  if (hasToken) words.push('-H "Authorization: Bearer $TOKEN"');
  words.push(
      '-d', quote(JSON.stringify(requestOfView(view))), quote(origin + METHODS + 'QueryUsage'));
  return words.join(' ');
}
