// SPDX-License-Identifier: Apache-2.0

// Calls of the service, by the Connect protocol in JSON.

/** Why a call failed. `code` is Connect's, or empty if there was no answer of the service. */
class ServiceError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Calls a method. Throws a ServiceError, or an AbortError. */
async function callService(method, request, token, signal) {
  const headers = {'Content-Type': 'application/json', 'Connect-Protocol-Version': '1'};
  if (token) headers.Authorization = `Bearer ${token}`;
  const options = {method: 'POST', headers, body: JSON.stringify(request), cache: 'no-store', signal};
  let response;
  let answer;
  try {
    response = await fetch(METHODS + method, options);
    answer = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServiceError('', response ?
        `The service answered with HTTP status ${response.status}, and not in JSON.` :
        'The service did not answer.');
  }
  if (response.ok) return answer;
  throw new ServiceError(answer.code ?? '', answer.message || `HTTP status ${response.status}`);
}

/** Returns all rows of a query, or the first `limit`; calls `progress` after each page. */
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

/** Returns the names of the projects that the caller may query. */
async function listProjects(token, signal) {
  const names = [];
  let page = {};
  do {
    page = await callService('ListProjects', {page_token: page.next_page_token}, token, signal);
    for (const project of page.projects ?? []) names.push(project.name);
  } while (page.next_page_token && names.length < 10000);
  return names;
}
