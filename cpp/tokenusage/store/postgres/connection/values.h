// SPDX-License-Identifier: Apache-2.0

// Parameters of statements in PostgreSQL's binary representation, which needs
// neither quoting nor hexadecimal.
//
//   PostgresParams params("my-project", 12);
//   params.Add(std::vector<std::string>{"id-1", "id-2"});

#ifndef TOKENUSAGE_STORE_POSTGRES_CONNECTION_VALUES_H_
#define TOKENUSAGE_STORE_POSTGRES_CONNECTION_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenusage {

// An array parameter that is built element by element.
class PostgresArray {
 public:
  // Return an array for exactly `size` texts, byte strings, numbers or
  // booleans. The types are those of pg_type.dat, which never change.
  static PostgresArray Texts(std::size_t size) { return {25, size}; }
  static PostgresArray Bytes(std::size_t size) { return {17, size}; }
  static PostgresArray Int64s(std::size_t size) { return {20, size}; }
  static PostgresArray Bools(std::size_t size) { return {16, size}; }

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
  PostgresParams() = default;

  // Adds each of the values. $1 is a text in all statements.
  template <typename... Values>
  explicit PostgresParams(std::string_view first, Values&&... others) {
    Add(first);
    (Add(std::forward<Values>(others)), ...);
  }

  // Adds text or bytes.
  void Add(std::string_view value) { values_.emplace_back(value); }
  void Add(std::int64_t value);
  void Add(PostgresArray array) {
    values_.emplace_back(std::move(array.encoded_));
  }
  void Add(const std::vector<std::string>& texts) {
    AddArray(PostgresArray::Texts(texts.size()), texts);
  }
  void Add(const std::vector<std::int64_t>& numbers) {
    AddArray(PostgresArray::Int64s(numbers.size()), numbers);
  }
  // Adds NULL if there is no value.
  template <typename Value>
  void Add(const std::optional<Value>& value) {
    value ? Add(*value) : AddNull();
  }
  void AddNull() { values_.emplace_back(); }

  int size() const { return static_cast<int>(values_.size()); }
  const std::optional<std::string>& value(int index) const {
    return values_[static_cast<std::size_t>(index)];
  }

 private:
  template <typename Value>
  void AddArray(PostgresArray array, const std::vector<Value>& values) {
    for (const Value& value : values) array.Add(value);
    Add(std::move(array));
  }

  std::vector<std::optional<std::string>> values_;
};

// Decodes a 64-bit number in PostgreSQL's binary representation; 0 unless there
// are eight bytes.
std::int64_t DecodePostgresInt64(std::string_view bytes);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CONNECTION_VALUES_H_
