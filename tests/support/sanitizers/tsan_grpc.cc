// SPDX-License-Identifier: Apache-2.0

// Shows ThreadSanitizer how gRPC orders threads. Debian's gRPC is not
// instrumented, so TSan sees none of its locks and atomics and would report
// every object that one thread passes to another through a completion queue.
//
// gRPC promises that what a thread did before it started an operation happens
// before what another thread does after it took the operation's tag from a
// completion queue. Servers with callbacks do the same in threads of libgrpc++.
// These functions replace those of libgrpc, call them, and declare only that
// order, tag by tag: TSan still finds races between callbacks that gRPC does
// not order.

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include <cstddef>

namespace {

template <typename Function>
Function* Next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

grpc_event Taken(grpc_event event) {
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops,
                                      std::size_t nops, void* tag,
                                      void* reserved) {
  static auto* const next =
      Next(&grpc_call_start_batch, "grpc_call_start_batch");
  __tsan_release(tag);
  return next(call, ops, nops, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue,
                                      gpr_timespec deadline, void* reserved) {
  static auto* const next =
      Next(&grpc_completion_queue_next, "grpc_completion_queue_next");
  return Taken(next(queue, deadline, reserved));
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const next =
      Next(&grpc_completion_queue_pluck, "grpc_completion_queue_pluck");
  return Taken(next(queue, tag, deadline, reserved));
}

}  // extern "C"
