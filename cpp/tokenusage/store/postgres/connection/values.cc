// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/values.h"

namespace tokenusage {
namespace {

void AppendBigEndian(std::uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

void AppendInt32(std::uint64_t value, std::string* out) {
  AppendBigEndian(value, 4, out);
}

}  // namespace

PostgresArray::PostgresArray(std::uint32_t element_type, std::size_t size) {
  AppendInt32(size == 0 ? 0 : 1, &encoded_);  // dimensions
  AppendInt32(1, &encoded_);                  // there may be NULLs
  AppendInt32(element_type, &encoded_);
  if (size == 0) return;
  AppendInt32(size, &encoded_);
  AppendInt32(1, &encoded_);  // the first index
}

void PostgresArray::Add(std::string_view value) {
  AppendInt32(value.size(), &encoded_);
  encoded_.append(value);
}

void PostgresArray::Add(std::int64_t value) {
  AppendInt32(sizeof(value), &encoded_);
  AppendBigEndian(static_cast<std::uint64_t>(value), sizeof(value), &encoded_);
}

void PostgresArray::AddBool(bool value) {
  AppendInt32(1, &encoded_);
  encoded_.push_back(value ? 1 : 0);
}

void PostgresArray::AddNull() { AppendInt32(0xFFFFFFFF, &encoded_); }

void PostgresParams::Add(std::int64_t value) {
  std::string encoded;
  AppendBigEndian(static_cast<std::uint64_t>(value), sizeof(value), &encoded);
  Add(encoded);
}

std::int64_t DecodePostgresInt64(std::string_view bytes) {
  if (bytes.size() != sizeof(std::int64_t)) return 0;
  std::uint64_t value = 0;
  for (const char byte : bytes) {
    value = (value << 8) | static_cast<unsigned char>(byte);
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace tokenusage
