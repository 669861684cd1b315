// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/writer.h"

#include "tokenusage/base/json_string.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/json/internal/text.h"

namespace tokenusage {
namespace json_internal {

template <bool kExplain>
char* Writer<kExplain>::WriteText(char* p, std::string_view text) {
  if (IsPlain(text)) {
    p = Put(p, "\"");
    p = Put(p, text);
    return Put(p, "\"");
  }
  if (!IsUtf8(text)) {
    return Fail(Kind::kNotRepresentable, "UTF-8", "other bytes");
  }
  Flush(p);
  AppendJsonString(text, &out_);
  return buffer_;
}

template <bool kExplain>
char* Writer<kExplain>::WriteBytes(char* p, std::string_view bytes) {
  Flush(p);
  out_.push_back('"');
  AppendBase64(bytes, &out_);
  out_.push_back('"');
  return buffer_;
}

template <bool kExplain>
char* Writer<kExplain>::WriteEnum(char* p, std::string_view name, int number) {
  if (name.empty()) {
    return Fail(Kind::kNotRepresentable, "an enum value with a name",
                absl::StrCat("number ", number));
  }
  p = Put(p, "\"");
  p = Put(p, name);
  return Put(p, "\"");
}

template <bool kExplain>
char* Writer<kExplain>::WriteTime(char* p, const UnixTime& time) {
  Flush(p);
  out_.push_back('"');
  if (!AppendRfc3339(time, &out_)) {
    return Fail(Kind::kNotRepresentable,
                "a time in years 1 to 9999, nanos from 0 to 999999999",
                absl::StrCat("seconds ", time.seconds, ", nanos ", time.nanos));
  }
  out_.push_back('"');
  return buffer_;
}

template <bool kExplain>
char* Writer<kExplain>::FailNumber(double value) {
  return Fail(Kind::kNotRepresentable, "a finite number",
              std::isnan(value) ? "NaN" : "an infinity");
}

template class Writer<false>;
template class Writer<true>;

}  // namespace json_internal
}  // namespace tokenusage
