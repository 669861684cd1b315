// SPDX-License-Identifier: Apache-2.0

// A pass of a model that made up a message, as FindOtherPasses of anthropic.h
// and openrouter.h returns it.

#ifndef TOKENUSAGE_USAGE_MESSAGE_PASS_H_
#define TOKENUSAGE_USAGE_MESSAGE_PASS_H_

#include <string>

namespace tokenusage {

// A pass that a message's own counts do not hold. `Usage` is the message's.
template <typename Usage>
struct MessagePass {
  std::string model;  // empty if not stated: then the message's own
  std::string type;   // MessagesIteration.type
  Usage usage;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_MESSAGE_PASS_H_
