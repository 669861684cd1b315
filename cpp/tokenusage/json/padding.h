// The padding of documents, in a header of its own for generated code.

#ifndef TOKENUSAGE_JSON_PADDING_H_
#define TOKENUSAGE_JSON_PADDING_H_

#include <cstddef>

namespace tokenusage {

// How many bytes behind the document ParsePaddedJson may read. What they hold
// does not matter.
inline constexpr std::size_t kJsonPadding = 64;

}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PADDING_H_
