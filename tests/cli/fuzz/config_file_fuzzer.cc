// SPDX-License-Identifier: Apache-2.0

// Configuration files: a file that is taken means what --print-config then
// says, and the refusal of another names a line.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/serve/config_file.h"

namespace tokenusage {
namespace testing {
namespace {

constexpr char kPath[] = "test.conf";

// A command with a flag of each kind.
class Command {
 public:
  Command() {
    app_.add_option("--text", text_, "a text");
    app_.add_option("--number", number_, "a number")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
    app_.add_flag("--switch", is_on_, "on or off");
    app_.parse(1, kArguments);
  }

  absl::Status Apply(std::string_view text) {
    return ApplyConfigText(&app_, kPath, text);
  }
  std::string Effective() const { return EffectiveConfig(app_); }

  bool Equals(const Command& other) const {
    return text_ == other.text_ && number_ == other.number_ &&
           is_on_ == other.is_on_;
  }
  bool HidesPassword() const { return MaskStoreUrl(text_) != text_; }

 private:
  static constexpr const char* kArguments[] = {"test"};

  CLI::App app_;
  std::string text_;
  int number_ = 15;
  bool is_on_ = false;
};

void CheckRefusal(const absl::Status& status) {
  const std::string message(status.message());
  if (message.rfind("file test.conf: line ", 0) != 0) {
    FuzzFail("an error without file and line: " + message);
  }
}

void Check(std::string_view text) {
  Command command;
  const absl::Status status = command.Apply(text);
  if (!status.ok()) return CheckRefusal(status);
  Command again;
  const std::string effective = command.Effective();
  const absl::Status read = again.Apply(effective);
  if (!read.ok()) FuzzFail(read.ToString() + " in\n" + effective);
  if (!command.HidesPassword() && !command.Equals(again)) {
    FuzzFail("other values are read from\n" + effective);
  }
  if (again.Effective() != effective) FuzzFail("it changes:\n" + effective);
}

}  // namespace

std::vector<std::string> SeedInputs() {
  return {
      "# none\n\n",
      "text = \"a # b\\\\c\\u00e9\\n\" # words\nnumber=30\nswitch = true\n",
      "text = 'C:\\path'\r\nswitch=false\n",
      "text = \"postgresql://user:secret@db/name\"\nnumber = '7'\n",
      "[serve]\ntext = \"\"\n",
      "number = 100000\n",
      "number = 1\nnumber = 2\n",
      "switch = \"true\"\nnobody = 1\n",
      "text = \"open\nnumber =\n",
  };
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  tokenusage::testing::Check(tokenusage::testing::AsText(data, size));
  return 0;
}
