// Which of several ways to the same result the mapping takes.

#ifndef TOKENUSAGE_JSON_PATH_CHOICE_H_
#define TOKENUSAGE_JSON_PATH_CHOICE_H_

namespace tokenusage {
namespace json_internal {

// Chosen at start-up by the environment variable TOKENUSAGE_JSON_PATH, for
// tests and for comparisons; contents and errors are the same on all of them.
enum class PathChoice {
  kFastest,     // tables, shapes, and what this processor can do
  kTable,       // "table": tables, but no code for exact shapes
  kPortable,    // "portable": tables, by code that runs on any machine
  kReflection,  // "reflection": as for messages without a table
};

extern PathChoice path_choice;

// Whether this processor has AVX2 and the choice allows it.
extern bool may_use_avx2;

inline bool MayUseAvx2() { return may_use_avx2; }

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PATH_CHOICE_H_
