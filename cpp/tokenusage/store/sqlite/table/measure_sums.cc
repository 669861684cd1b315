// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/measure_sums.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/numeric/int128.h"

namespace tokenusage {
namespace {

constexpr std::size_t kMaxAmountBytes = 16;

void AppendCount(std::int64_t count, std::string* bytes) {
  auto rest = static_cast<std::uint64_t>(count);
  for (; rest >= 0x80; rest >>= 7) {
    bytes->push_back(static_cast<char>(rest | 0x80));
  }
  bytes->push_back(static_cast<char>(rest));
}

void AppendAmount(Amount amount, std::string* bytes) {
  bytes->push_back('\0');  // the length, set below
  const std::size_t start = bytes->size();
  for (auto rest = static_cast<absl::uint128>(amount.picos()); rest != 0;
       rest >>= 8) {
    bytes->push_back(static_cast<char>(absl::Uint128Low64(rest)));
  }
  (*bytes)[start - 1] = static_cast<char>(bytes->size() - start);
}

// Reads numbers from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }

  bool ReadByte(unsigned int* value) {
    if (rest_.empty()) return false;
    *value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadCount(std::int64_t* count) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      unsigned int byte = 0;
      if (!ReadByte(&byte)) return false;
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte >= 0x80) continue;
      *count = static_cast<std::int64_t>(value);
      return byte != 0;  // which also makes zero invalid
    }
    return false;
  }

  bool ReadAmount(Amount* amount) {
    unsigned int length = 0;
    if (!ReadByte(&length) || length > kMaxAmountBytes ||
        length > rest_.size()) {
      return false;
    }
    char bytes[kMaxAmountBytes] = {};
    std::memcpy(bytes, rest_.data(), length);
    rest_.remove_prefix(length);
    const auto picos = static_cast<absl::int128>(
        absl::MakeUint128(LittleEndian64(bytes + 8), LittleEndian64(bytes)));
    *amount = Amount::FromPicos(picos);
    return picos >= 0 && (length == 0 || bytes[length - 1] != 0);
  }

 private:
  static std::uint64_t LittleEndian64(const char* bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]))
               << (8 * i);
    }
    return value;
  }

  std::string_view rest_;
};

}  // namespace

void EncodeMeasureSums(const UsageSum& sum, std::string* bytes) {
  bytes->clear();
  sum.ForEach([bytes](v1::UsageMeasure measure, const MeasureSum& part) {
    bytes->push_back(static_cast<char>(measure));
    AppendCount(part.record_count, bytes);
    AppendAmount(part.amount, bytes);
  });
}

bool AddMeasureSums(std::string_view bytes, UsageSum* sum) {
  Reader reader(bytes);
  unsigned int last = 0;
  while (!reader.at_end()) {
    unsigned int measure = 0;
    MeasureSum part;
    if (!reader.ReadByte(&measure) || measure <= last ||
        measure > static_cast<unsigned int>(kMaxUsageMeasure) ||
        !reader.ReadCount(&part.record_count) ||
        !reader.ReadAmount(&part.amount)) {
      return false;
    }
    sum->AddMeasure(static_cast<v1::UsageMeasure>(measure), part);
    last = measure;
  }
  return true;
}

}  // namespace tokenusage
