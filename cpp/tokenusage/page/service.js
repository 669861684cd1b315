// SPDX-License-Identifier: Apache-2.0

// Calls of the service, by the Connect protocol in JSON.

/** Why a call failed. `code` is a code of Connect, or empty if the service stated none. */
class ServiceError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Calls a method and returns its response. Throws a ServiceError if the call fails, and an
 * AbortError if `signal` aborted it.
 */
async function callService(method, request, token, signal) {
  const headers = {'Content-Type': 'application/json', 'Connect-Protocol-Version': '1'};
  if (token) headers.Authorization = `Bearer ${token}`;
  const options =
      {method: 'POST', headers, body: JSON.stringify(request), cache: 'no-store', signal};
  let response;
  let answer;
  try {
    response = await fetch(METHODS + method, options);
    answer = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServiceError(
        '',
        response ? `The service answered with HTTP status ${response.status}, and not in JSON.` :
                   'The service did not answer.');
  }
  if (response.ok) return answer;
  throw new ServiceError(answer.code ?? '', answer.message || `HTTP status ${response.status}`);
}

/**
 * Returns the rows of a query, and whether they are all: reads no page after `limit` rows. Calls
 * `progress` with the number of rows after each page.
 */
async function queryRows(request, {token, signal, limit, progress}) {
  const rows = [];
  let page = {};
  do {
    const asked = {...request, page_size: 1000, page_token: page.next_page_token};
    page = await callService('QueryUsage', asked, token, signal);
    for (const row of page.rows ?? []) rows.push(row);
    progress(rows.length);
  } while (page.next_page_token && rows.length < limit);
  return {rows, isComplete: !page.next_page_token};
}

/** Returns the names of the projects that the caller may query; reads no page after 10,000. */
async function listProjects(token, signal) {
  const names = [];
  let page = {};
  do {
    page = await callService('ListProjects', {page_token: page.next_page_token}, token, signal);
    for (const project of page.projects ?? []) names.push(project.name);
  } while (page.next_page_token && names.length < 10000);
  return names;
}
