// SPDX-License-Identifier: Apache-2.0

// Parameters of statements in PostgreSQL's binary representation, which needs
// neither quoting nor hexadecimal.
//
//   PostgresParams params;
//   params.AddText("my-project");
//   params.AddTextArray({"id-1", "id-2"});

#ifndef TOKENUSAGE_STORE_POSTGRES_VALUES_H_
#define TOKENUSAGE_STORE_POSTGRES_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenusage {

// An array parameter that is built element by element.
class PostgresArray {
 public:
  // Return an array for exactly `size` texts, byte strings, numbers or
  // booleans.
  static PostgresArray Texts(std::size_t size);
  static PostgresArray Bytes(std::size_t size);
  static PostgresArray Int64s(std::size_t size);
  static PostgresArray Bools(std::size_t size);

  void Add(std::string_view value);
  void Add(std::int64_t value);
  void AddBool(bool value);
  void AddNull();

 private:
  friend class PostgresParams;
  PostgresArray(std::uint32_t element_type, std::size_t size);

  std::string encoded_;
};

// The parameters of one statement, in the order $1, $2, ... Values are copied.
class PostgresParams {
 public:
  void AddText(std::string_view value) { Add(std::string(value)); }
  void AddBytes(std::string_view value) { Add(std::string(value)); }
  void AddInt64(std::int64_t value);
  void AddArray(PostgresArray array) { Add(std::move(array.encoded_)); }
  void AddTextArray(const std::vector<std::string>& values);
  void AddNull() { values_.emplace_back(); }

  int size() const { return static_cast<int>(values_.size()); }
  const std::optional<std::string>& value(int index) const {
    return values_[static_cast<std::size_t>(index)];
  }

 private:
  void Add(std::string value) { values_.emplace_back(std::move(value)); }

  std::vector<std::optional<std::string>> values_;
};

// Decodes a 64-bit number in PostgreSQL's binary representation; 0 unless there
// are eight bytes.
std::int64_t DecodePostgresInt64(std::string_view bytes);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_VALUES_H_
