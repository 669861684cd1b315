// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/page/page.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/page/page_files.h"

namespace tokenusage {
namespace {

constexpr char kNoAnswer[] =
    "<noscript><p>This page needs scripts. <code>tokenusage query</code> "
    "prints the same totals.</p></noscript>";

// Returns the source expression that allows only this script or style.
std::string HashSource(std::string_view text) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         hash);
  return absl::StrCat("'sha256-",
                      absl::Base64Escape(absl::string_view(
                          reinterpret_cast<const char*>(hash), sizeof(hash))),
                      "'");
}

// Returns the Content-Security-Policy that the page has in a <meta> element,
// which cannot state frame-ancestors.
std::string Policy() {
  return absl::StrCat("default-src 'none'; script-src ",
                      HashSource(kPageScript), "; style-src ",
                      HashSource(kPageStyle),
                      "; img-src data:; connect-src 'self'; base-uri 'none'; "
                      "form-action 'none'; require-trusted-types-for 'script'; "
                      "trusted-types 'none'");
}

std::string Page(std::string_view answer) {
  return absl::StrReplaceAll(kPageFrame, {{"{{policy}}", Policy()},
                                          {"{{style}}", kPageStyle},
                                          {"{{script}}", kPageScript},
                                          {"{{answer}}", ToAbsl(answer)}});
}

std::string EscapeHtml(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string HtmlTable(const PageAnswer& answer) {
  std::string html = absl::StrCat("<table>\n<caption>",
                                  EscapeHtml(answer.caption), "</caption>\n");
  const char* tag = "th";
  for (const std::vector<std::string>& row : answer.table) {
    absl::StrAppend(&html, "<tr>");
    for (std::size_t i = 0; i < row.size(); ++i) {
      // <bdi> keeps text that runs from right to left within its cell.
      absl::StrAppend(&html, "<", tag,
                      i < answer.first_number_column ? "" : " class=number",
                      "><bdi>", EscapeHtml(row[i]), "</bdi></", tag, ">");
    }
    absl::StrAppend(&html, "</tr>\n");
    tag = "td";
  }
  return html + "</table>";
}

}  // namespace

std::string_view PageHtml() {
  static const auto* const kPage = new std::string(Page(kNoAnswer));
  return *kPage;
}

std::string_view PageContentSecurityPolicy() {
  static const auto* const kPolicy =
      new std::string(Policy() + "; frame-ancestors 'none'");
  return *kPolicy;
}

std::string PageHtmlWithAnswer(const PageAnswer& answer) {
  // In JSON, < occurs in strings only; escaped, none of them ends the script.
  return Page(absl::StrCat(
      "<noscript>", HtmlTable(answer),
      "</noscript>\n<script type=\"application/json\" id=\"answer\">",
      absl::StrReplaceAll(answer.json, {{"<", "\\u003c"}}), "</script>"));
}

}  // namespace tokenusage
