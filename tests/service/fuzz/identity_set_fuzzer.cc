// SPDX-License-Identifier: Apache-2.0

// Fuzzes identity files: they are accepted, or refused in one line that repeats
// no credential, and a line that the program makes is accepted.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "tests/support/fuzzing/byte_source.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/service/identity/identity_set.h"
#include "tokenusage/service/identity/token.h"

namespace tokenusage {
namespace testing {
namespace {

constexpr char kSecret[] = "correct-horse-battery-staple";

// Checks that an error names a line, and holds neither the secret of the seeds
// nor a byte that is not printable: errors consist of fixed words and numbers.
void CheckRefusal(const absl::Status& status) {
  const std::string message(status.message());
  if (message.rfind("line ", 0) != 0 &&
      message.rfind("expected at least one identity", 0) != 0) {
    FuzzFail("no line: " + message);
  }
  if (message.find("horse") != std::string::npos) FuzzFail(message);
  for (const char c : message) {
    if (c < ' ' || c > '~') FuzzFail("an odd character: " + message);
  }
}

void CheckText(std::string_view text) {
  const auto set = IdentitySet::Parse(text);
  if (!set.ok()) return CheckRefusal(set.status());
  std::size_t lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  if (set->size() > lines) FuzzFail("more credentials than lines");
}

// Checks that the output of `token new` is one credential, that of the token.
void CheckFormat(std::string_view input) {
  ByteSource bytes(input);
  const std::string name = bytes.Text(bytes.Byte() % 16);
  const std::string projects = bytes.Text(bytes.Byte() % 16);
  const std::string roles = bytes.Below(2) == 0 ? "report" : bytes.Text(16);
  const auto line = FormatIdentity(name, projects, roles, DigestOf(kSecret));
  if (!line.ok()) return;
  const auto set = IdentitySet::Parse(*line + "\n");
  if (!set.ok()) FuzzFail(*line + " is refused");
  const auto caller = set->FindByToken(kSecret);
  if (set->size() != 1 || caller == nullptr || caller->name != name) {
    FuzzFail(*line + " is somebody else");
  }
}

}  // namespace

std::vector<std::string> SeedInputs() {
  const std::string hash = HexOf(DigestOf(kSecret));
  return {
      "# name projects roles credential\n\n",
      "gateway demo,web report sha256:" + hash + "\n",
      "finance\t*\tquery,report\turi:spiffe://example.com/finance\r\n",
      "a demo report dns:a.example.com\nb demo query cn:b\n",
      "a demo report cn:a\na demo report cn:a\n",
      std::string("a demo report ") + kSecret + "\n",
      std::string(kSecret) + " demo\n",
      "a demo report sha256:" + hash.substr(1) + "\n",
      "a Demo report cn:a\n",
      "a demo admin cn:a\n",
      std::string("\4name\4demo", 10),
  };
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::CheckText(testing::AsText(data, size));
  testing::CheckFormat(testing::AsText(data, size));
  return 0;
}
