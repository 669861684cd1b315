#include "tokenusage/json/name_set.h"

#include <array>
#include <random>

namespace tokenusage {
namespace json_internal {
namespace {

std::uint64_t RotateLeft(std::uint64_t x, int bits) {
  return (x << bits) | (x >> (64 - bits));
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = RotateLeft(v1, 13) ^ v0;
      v3 = RotateLeft(v3, 16) ^ v2;
      v0 = RotateLeft(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = RotateLeft(v1, 17) ^ v2;
      v3 = RotateLeft(v3, 21) ^ v0;
      v2 = RotateLeft(v2, 32);
    }
  }

  void Add(std::uint64_t word) {
    v3 ^= word;
    Rounds(2);
    v0 ^= word;
  }
};

// Up to eight bytes, the first one lowest.
std::uint64_t LittleEndian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return word;
}

std::uint64_t RandomWord() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) ^ random();
}

}  // namespace

std::uint64_t SipHash(std::uint64_t key0, std::uint64_t key1,
                      std::string_view text) {
  SipState state = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d,
                    key0 ^ 0x6c7967656e657261, key1 ^ 0x7465646279746573};
  const std::uint64_t size = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    state.Add(LittleEndian(text.substr(0, 8)));
  }
  state.Add(LittleEndian(text) | (size << 56));
  state.v2 ^= 0xFF;
  state.Rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::size_t NameSet::KeyedHash::operator()(std::string_view name) const {
  static const std::array<std::uint64_t, 2> key = {RandomWord(), RandomWord()};
  return static_cast<std::size_t>(SipHash(key[0], key[1], name));
}

bool NameSet::Insert(std::string_view name, bool outlives) {
  if (table_ == nullptr) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (few_[i].text() == name) return false;
    }
    if (outlives && count_ < kFew) {
      few_[count_++] = {name.data(), name.size()};
      return true;
    }
    table_ = std::make_unique<Table>();
    for (std::size_t i = 0; i < count_; ++i) {
      table_->names.insert(few_[i].text());
    }
  }
  if (outlives) return table_->names.insert(name).second;
  if (table_->names.contains(name)) return false;
  return table_->names.insert(table_->copies.emplace_front(name)).second;
}

}  // namespace json_internal
}  // namespace tokenusage
