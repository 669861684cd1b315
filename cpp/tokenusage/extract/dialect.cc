// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/dialect.h"

#include <algorithm>

#include "tokenusage/extract/layout.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

using extract_internal::Final;
using extract_internal::Layout;
using extract_internal::Merge;
using extract_internal::Place;
using v1::UsageRecord;

// Chat completions state usage in the last event that is not [DONE], or a
// running total in each event.
Layout Chat() {
  return {{Place("usage")}, {Place("usage")}, Merge::kLast, Final::kChoices};
}

// The usage is in the response, and in one event of its stream.
Layout Plain() { return {{Place("usage")}, {Place("usage")}}; }

std::vector<Dialect> MakeDialects() {
  std::vector<Dialect> dialects;
  const auto add = [&](std::string_view name, int usage_field, Layout layout,
                       std::string_view operation = "") {
    const std::size_t dot = name.find('.');
    dialects.push_back(
        {name, name.substr(0, dot),
         operation.empty() ? name.substr(dot + 1) : operation,
         UsageRecord::descriptor()->FindFieldByNumber(usage_field),
         layout.needs_done, new Layout(std::move(layout))});
  };
  add("openai.chat", UsageRecord::kOpenaiChatFieldNumber, Chat());
  add("openai.completions", UsageRecord::kOpenaiChatFieldNumber, Chat());
  add("orq.images_edits", UsageRecord::kOrqImagesEditsFieldNumber, Plain(),
      "images.edits");
  add("orq.images_variations", UsageRecord::kOrqImagesVariationsFieldNumber,
      Plain(), "images.variations");

  std::sort(dialects.begin(), dialects.end(),
            [](const Dialect& a, const Dialect& b) { return a.name < b.name; });
  return dialects;
}

}  // namespace

const std::vector<Dialect>& Dialects() {
  static const auto* const dialects = new std::vector<Dialect>(MakeDialects());
  return *dialects;
}

const Dialect* FindDialect(std::string_view name) {
  const auto found = std::find_if(
      Dialects().begin(), Dialects().end(),
      [&](const Dialect& dialect) { return dialect.name == name; });
  return found == Dialects().end() ? nullptr : &*found;
}

}  // namespace tokenusage
