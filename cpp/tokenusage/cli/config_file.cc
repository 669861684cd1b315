#include "tokenusage/cli/config_file.h"

#include <set>
#include <sstream>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/file.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/json/quoted.h"

namespace tokenusage {
namespace {

// A flag that takes no value.
bool IsSwitch(const CLI::Option& option) {
  return option.get_expected_min() == 0;
}

// `seen` has the flags of the lines before.
absl::Status Apply(const CLI::ConfigItem& item, CLI::App* command,
                   std::set<std::string>* seen) {
  if (!item.parents.empty() || item.name == "++" || item.name == "--") {
    return absl::InvalidArgumentError(
        "expected flags alone, found a section in brackets");
  }
  CLI::Option* option = command->get_option_no_throw("--" + item.name);
  if (option == nullptr || !option->get_configurable()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no flag \"", Excerpt(item.name), "\""));
  }
  if (!seen->insert(item.name).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("the flag \"", item.name, "\" is there twice"));
  }
  if (option->count() > 0) return absl::OkStatus();
  if (IsSwitch(*option)) {
    option->add_result(
        option->get_flag_value(item.name, CLI::ConfigTOML().to_flag(item)));
  } else {
    option->add_result(item.inputs);
  }
  option->run_callback();
  return absl::OkStatus();
}

std::string ValueOf(const CLI::Option& option) {
  if (option.count() == 0) {
    return IsSwitch(option) ? "false" : option.get_default_str();
  }
  return option.results().back();
}

bool IsNumberOrSwitch(const CLI::Option& option, const std::string& value) {
  return IsSwitch(option) ||
         (!value.empty() &&
          value.find_first_not_of("0123456789") == std::string::npos);
}

}  // namespace

absl::Status ApplyConfigFile(CLI::App* command, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
  std::istringstream stream(*text);
  std::set<std::string> seen;
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
      const absl::Status status = Apply(item, command, &seen);
      if (!status.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("file ", path, ": ", status.message()));
      }
    }
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("file ", path, ": ", error.what()));
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
                    option->get_lnames().front(), " = ");
    if (IsNumberOrSwitch(*option, value)) {
      text += value;
    } else {
      json_internal::AppendQuoted(value, &text);
    }
    text += "\n";
  }
  return text;
}

}  // namespace tokenusage
