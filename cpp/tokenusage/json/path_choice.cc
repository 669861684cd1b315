#include "tokenusage/json/path_choice.h"

#include <cstdlib>
#include <string_view>

namespace tokenusage {
namespace json_internal {
namespace {

PathChoice FromEnvironment() {
  const char* const text = std::getenv("TOKENUSAGE_JSON_PATH");
  const std::string_view name = text == nullptr ? "" : text;
  if (name == "table") return PathChoice::kTable;
  if (name == "portable") return PathChoice::kPortable;
  if (name == "reflection") return PathChoice::kReflection;
  return PathChoice::kFastest;
}

bool HasAvx2() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

}  // namespace

// Until these lines have run, zero stands here, which is right as well.
PathChoice path_choice = FromEnvironment();
bool may_use_avx2 = path_choice != PathChoice::kPortable && HasAvx2();

}  // namespace json_internal
}  // namespace tokenusage
