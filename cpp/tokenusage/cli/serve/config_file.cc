// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/config_file.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/json/internal/text.h"
#include "tokenusage/json/json_string.h"

namespace tokenusage {
namespace {

struct ConfigLine {
  std::string flag;  // empty where the line has none
  std::string value;
  bool quoted = false;
};

// Does not repeat what was found: it may be a URL with a password.
absl::Status Expected(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what));
}

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes the longest prefix of those characters off the text.
std::string_view TakePrefix(bool (*belongs)(unsigned char),
                            std::string_view* text) {
  const auto* const end = std::find_if_not(text->begin(), text->end(), belongs);
  const std::string_view prefix =
      text->substr(0, static_cast<std::size_t>(end - text->begin()));
  text->remove_prefix(prefix.size());
  return prefix;
}

bool IsSpace(unsigned char c) { return absl::ascii_isspace(c); }

bool IsNameCharacter(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_';
}

bool IsBareCharacter(unsigned char c) { return !IsSpace(c) && c != '#'; }

// Each takes a value off the front of the text.
absl::Status TakeQuoted(std::string_view* text, std::string* value) {
  const char* const end = text->data() + text->size();
  const char* const quote =
      json_internal::ScanString(text->data() + 1, end, value, nullptr);
  if (quote == nullptr) {
    return Expected("a string that ends with \", with escapes as in JSON");
  }
  *text = {quote + 1, static_cast<std::size_t>(end - quote - 1)};
  return absl::OkStatus();
}

absl::Status TakeLiteral(std::string_view* text, std::string* value) {
  const std::size_t end = text->find('\'', 1);
  if (end == std::string_view::npos) {
    return Expected("a string that ends with '");
  }
  *value = std::string(text->substr(1, end - 1));
  if (!IsUtf8(*value)) return Expected("text in UTF-8");
  text->remove_prefix(end + 1);
  return absl::OkStatus();
}

absl::Status TakeBare(std::string_view* text, std::string* value) {
  *value = std::string(TakePrefix(IsBareCharacter, text));
  if (IsNumber(*value) || *value == "true" || *value == "false") {
    return absl::OkStatus();
  }
  return Expected("a string in quotes, a number, true or false");
}

absl::Status TakeValue(std::string_view* text, ConfigLine* line) {
  line->quoted =
      !text->empty() && (text->front() == '"' || text->front() == '\'');
  if (!line->quoted) return TakeBare(text, &line->value);
  return text->front() == '"' ? TakeQuoted(text, &line->value)
                              : TakeLiteral(text, &line->value);
}

absl::StatusOr<ConfigLine> ParseLine(std::string_view text) {
  ConfigLine line;
  TakePrefix(IsSpace, &text);
  if (text.empty() || text.front() == '#') return line;
  line.flag = std::string(TakePrefix(IsNameCharacter, &text));
  TakePrefix(IsSpace, &text);
  if (line.flag.empty() || text.empty() || text.front() != '=') {
    return Expected("a flag, \"=\" and its value, and no section");
  }
  text.remove_prefix(1);
  TakePrefix(IsSpace, &text);
  TOKENUSAGE_RETURN_IF_ERROR(TakeValue(&text, &line));
  TakePrefix(IsSpace, &text);
  if (!text.empty() && text.front() != '#') {
    return Expected("the end of the line or a comment after the value");
  }
  return line;
}

// A flag that takes no value.
bool IsSwitch(const CLI::Option& option) {
  return option.get_expected_min() == 0;
}

// `seen` has the flags of the lines before.
absl::Status Apply(const ConfigLine& line, CLI::App* command,
                   std::set<std::string>* seen) {
  CLI::Option* option = command->get_option_no_throw("--" + line.flag);
  if (option == nullptr || !option->get_configurable()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no flag \"", Excerpt(line.flag), "\""));
  }
  if (!seen->insert(line.flag).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("the flag \"", line.flag, "\" is there twice"));
  }
  const bool is_truth =
      !line.quoted && (line.value == "true" || line.value == "false");
  if (IsSwitch(*option) != is_truth) {
    return absl::InvalidArgumentError(absl::StrCat(
        line.flag, ": expected ",
        is_truth ? "a string in quotes or a number" : "true or false"));
  }
  if (option->count() > 0) return absl::OkStatus();
  option->add_result(line.value);
  option->run_callback();
  return absl::OkStatus();
}

absl::Status ParseAndApply(std::string_view text, CLI::App* command,
                           std::set<std::string>* seen) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConfigLine line, ParseLine(text));
  if (line.flag.empty()) return absl::OkStatus();
  try {
    return Apply(line, command, seen);
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

std::string ValueOf(const CLI::Option& option) {
  if (option.count() == 0) {
    return IsSwitch(option) ? "false" : option.get_default_str();
  }
  return option.results().back();
}

}  // namespace

absl::Status ApplyConfigFile(CLI::App* command, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
  return ApplyConfigText(command, path, *text);
}

absl::Status ApplyConfigText(CLI::App* command, const std::string& path,
                             std::string_view text) {
  std::set<std::string> seen;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    ++number;
    const absl::Status status = ParseAndApply(FromAbsl(line), command, &seen);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "file ", path, ": line ", number, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

std::string EffectiveConfig(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options(
           [](const CLI::Option* o) { return o->get_configurable(); })) {
    if (option->get_lnames().empty()) continue;
    const std::string value = MaskStoreUrl(ValueOf(*option));
    absl::StrAppend(&text, "# ", option->get_description(), "\n",
                    value.empty() ? "# " : "", option->get_lnames().front(),
                    " = ");
    if (IsSwitch(*option) || IsNumber(value)) {
      text += value;
    } else {
      AppendJsonString(value, &text);
    }
    text += "\n";
  }
  return text;
}

}  // namespace tokenusage
