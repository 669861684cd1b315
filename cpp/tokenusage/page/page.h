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

// Returns the page, to be served at `/` beside the service's methods.
// Thread-safe.
std::string_view PageHtml();

// Returns the value of the page's Content-Security-Policy header. Thread-safe.
std::string_view PageContentSecurityPolicy();

// The answer to a query. Its texts are UTF-8, and not escaped for HTML.
struct PageAnswer {
  // An object with the members `request` (a QueryUsageRequest), `query_time`,
  // `rows` (UsageRows of all pages), `is_complete` (no row is left out),
  // `total` (the UsageRow of all rows, also of those left out), `top` (0, or
  // the rows asked for) and, if the window before is compared, `before` (its
  // start_time and end_time). In that case each row and `total` also have a
  // member `before`: the measure there as an exact decimal, unless no record
  // states it.
  std::string json;

  // What a browser without scripts shows: rows of cells, the first of them the
  // heading.
  std::string caption;
  std::vector<std::vector<std::string>> table;
  std::size_t first_number_column = 0;
};

// Returns the page with an answer inside, which needs no service. Thread-safe.
std::string PageHtmlWithAnswer(const PageAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_PAGE_PAGE_H_
