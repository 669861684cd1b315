// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/config_file.h"

#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/open_store.h"

namespace tokenusage {
namespace {

absl::Status SetFlag(const CLI::ConfigItem& item, CLI::App* command,
                     std::set<std::string>* seen) {
  // CLI11 reads a name without a value as true, and leaves the quotes of text
  // that it cannot read in place.
  if (!item.parents.empty() || item.inputs.size() != 1) {
    return absl::InvalidArgumentError("expected FLAG = VALUE");
  }
  const std::string& value = item.inputs.front();
  if (value.find_first_of("\"'\\") != std::string::npos) {
    return absl::InvalidArgumentError(
        "expected a value in quotes, without quotes or backslashes in it");
  }
  CLI::Option* option = command->get_option_no_throw("--" + item.name);
  if (option == nullptr || !option->get_configurable()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no flag \"", Excerpt(item.name), "\""));
  }
  if (!seen->insert(item.name).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("the flag \"", item.name, "\" occurs twice"));
  }
  if (option->count() > 0) return absl::OkStatus();
  option->add_result(value);
  option->run_callback();
  return absl::OkStatus();
}

// Applies one line. `seen` holds the flags of the lines before.
absl::Status ApplyLine(const std::string& line, CLI::App* command,
                       std::set<std::string>* seen) {
  try {
    std::istringstream stream(line);
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
      if (line.find('=') == std::string::npos) {
        return absl::InvalidArgumentError("expected FLAG = VALUE");
      }
      TOKENUSAGE_RETURN_IF_ERROR(SetFlag(item, command, seen));
    }
    return absl::OkStatus();
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace

absl::Status ApplyConfigFile(CLI::App* command, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
  std::set<std::string> seen;
  int number = 0;
  // Line by line, since CLI11 does not say where an item stood.
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    const absl::Status status = ApplyLine(std::string(line), command, &seen);
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
    const bool is_switch = option->get_expected_min() == 0;
    const std::string value = option->count() > 0 ? option->results().back()
                              : is_switch         ? "false"
                                                  : option->get_default_str();
    if (option->get_lnames().empty() || value.empty()) continue;
    absl::StrAppend(&text, "# ", option->get_description(), "\n",
                    option->get_lnames().front(), " = \"", MaskStoreUrl(value),
                    "\"\n");
  }
  return text;
}

}  // namespace tokenusage
