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

#include <string>
#include <string_view>
#include <vector>

namespace tokenusage {

// Returns the page, to be served at `/` beside the service's methods.
// Thread-safe.
std::string_view PageHtml();

// Returns the value of the page's Content-Security-Policy header. Thread-safe.
std::string_view PageContentSecurityPolicy();

// Returns the page with an answer inside, which needs no service.
//
// `json` is an object with the members `request` (a QueryUsageRequest) and
// `rows` (those of all pages). `table` is what a browser without scripts shows:
// rows of cells in UTF-8, the first of them the heading. Both may hold any
// text. Thread-safe.
std::string PageHtmlWithAnswer(
    std::string_view json, const std::vector<std::vector<std::string>>& table);

}  // namespace tokenusage

#endif  // TOKENUSAGE_PAGE_PAGE_H_
