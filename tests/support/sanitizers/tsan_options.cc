// SPDX-License-Identifier: Apache-2.0

// What ThreadSanitizer reads at a program's start. TSAN_OPTIONS in the
// environment comes after it.

extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_suppressions();

const char* __tsan_default_options() {
  return
      // gRPC, abseil and protobuf are Debian's: what they do is not seen.
      "ignore_noninstrumented_modules=1"
      // A service that a test kills has no exit code that could fail it.
      ":halt_on_error=1";
}

// What tsan_grpc.cc cannot say. Each is a frame of gRPC, and both are run once,
// when all else of that call is over. AddressSanitizer sees what comes after.
const char* __tsan_default_suppressions() {
  return
      // The end of a stream, UsageStream::OnDone with it: the last reaction's
      // thread hands it to gRPC's executor, inside of libgrpc.
      "race:ServerCallbackReaderWriterImpl::CallOnDone\n"
      // gRPC deletes its own state of a call, which another thread made when
      // the call came in. None of our code runs in it.
      "race:CallbackCallTag::ContinueRunAfterInterception()::{lambda\n";
}
