// SPDX-License-Identifier: Apache-2.0
//
// Writes a message made of the input. The result must be that of the reference
// writer: the same bytes, which both readers read back bit for bit, or a
// refusal.

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/random_message.h"
#include "tests/json/fuzz/write_check.h"
#include "tests/support/fuzzing/byte_source.h"
#include "tests/support/fuzzing/fuzz_target.h"

namespace tokenusage {
namespace testing {

std::vector<std::string> SeedInputs() {
  std::mt19937_64 random(1);
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < 8 * FuzzedTypes().size(); ++i) {
    std::string input(1, static_cast<char>('A' + i % FuzzedTypes().size()));
    for (std::size_t size = random() % 120; size > 0; --size) {
      input += static_cast<char>(static_cast<unsigned char>(random() % 256));
    }
    inputs.push_back(input);
  }
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::ByteSource bytes(testing::AsText(data, size));
  const std::size_t type = static_cast<std::size_t>(bytes.Byte() + 256 - 'A') %
                           testing::FuzzedTypes().size();
  testing::CheckAgainstReferenceWriter(
      testing::PrototypesOf(type),
      [&bytes](::google::protobuf::Message* message) {
        testing::ByteSource rest = bytes;
        testing::FillMessage(&rest, message);
      });
  return 0;
}
