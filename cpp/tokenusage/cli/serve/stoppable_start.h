// SPDX-License-Identifier: Apache-2.0

// Lets a signal end the process while the service starts.
//
//   {
//     const StoppableStart stoppable(signals);
//     OpenFiles();  // may block, on a pipe or a network file system
//   }
//   sigwait(&signals, &signal);

#ifndef TOKENUSAGE_CLI_SERVE_STOPPABLE_START_H_
#define TOKENUSAGE_CLI_SERVE_STOPPABLE_START_H_

#include <csignal>
#include <thread>

namespace tokenusage {

// While an object of this class exists, the signals end the process with exit
// code 0. That is safe: nothing has been acknowledged yet.
class StoppableStart {
 public:
  // All threads must have blocked `signals`.
  explicit StoppableStart(const sigset_t& signals);
  ~StoppableStart();

  StoppableStart(const StoppableStart&) = delete;
  StoppableStart& operator=(const StoppableStart&) = delete;

 private:
  const int signals_;  // a signalfd
  const int done_;     // an eventfd
  std::thread thread_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_STOPPABLE_START_H_
