// SPDX-License-Identifier: Apache-2.0
// Linked into every program of the sanitize preset. Too large a request returns null, as it does without sanitizers:
// that is an error Larmor reports, and its tests raise it.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
// Fontconfig keeps its patterns until the process ends, which the leak checker cannot see through cairo.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
