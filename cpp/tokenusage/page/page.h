// SPDX-License-Identifier: Apache-2.0

// The page that shows usage in a browser.
//
//   response.SetHeader("Content-Security-Policy", PageContentSecurityPolicy());
//   response.SetBody(PageHtml());
//
// One HTML file with its script and style, which loads nothing else. It calls
// QueryUsage and ListProjects of the service that it comes from, over the
// Connect protocol in JSON, and asks for a token if a call is refused as
// UNAUTHENTICATED. docs/page.md says how to use it.

#ifndef TOKENUSAGE_PAGE_PAGE_H_
#define TOKENUSAGE_PAGE_PAGE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenusage {

// Returns the page, which must be served at `/` beside the service's methods.
// Thread-safe.
std::string_view PageHtml();

// Returns the value of the page's Content-Security-Policy header. Thread-safe.
std::string_view PageContentSecurityPolicy();

// The answer to a query. Its texts are UTF-8, and not escaped for HTML.
struct PageAnswer {
  // An object with the members `request` (a QueryUsageRequest), `query_time`,
  // `rows` (UsageRows of all pages), `is_complete` (whether no row is left
  // out), `total` (the UsageRow of all rows, including those left out), `top`
  // (the maximum number of rows; 0: all) and, if the window before is compared,
  // `before` (that window's start_time and end_time). In that case each row and
  // `total` also have a member `before`: the total named by `request.order_by`
  // in that window, as an exact decimal, unless no record there states it.
  std::string json;

  // What a browser without scripts shows: rows of cells, the first of them the
  // heading.
  std::string caption;
  std::vector<std::vector<std::string>> table;
  std::size_t first_number_column = 0;
};

// Returns a page that contains the answer and needs no service. Thread-safe.
std::string PageHtmlWithAnswer(const PageAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_PAGE_PAGE_H_
