// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one header that an operation in C++ needs:
///
///   #include <larmor/flow/user/op.hpp>
///   using namespace larmor;
///
///   flow::NodeType describe() { return flow::NodeType{.title = "..."}.in<Array>(...).out<Array>(...).run(compute); }
///   LARMOR_OPERATION("user.name", describe)
///
/// Larmor compiles the file, loads it in a process of its own and runs it there.
#include <larmor/core/parallel.hpp>
#include <larmor/flow/node_type.hpp>
#include <typeinfo>

namespace larmor::flow::user {

/// A place that lives as long as the process, by name and type; see state().
std::shared_ptr<void>& state_slot(const std::string& name);

/// Something that an operation keeps from one run to the next, also when its file has been edited in between; made with
/// `T()` at first, and again when it has become another type.
template <class T>
T& state(const std::string& name) {
  auto& slot = state_slot(name + " " + typeid(T).name() + " " + std::to_string(sizeof(T)));
  if (!slot) slot = std::make_shared<T>();
  return *static_cast<T*>(slot.get());
}

}  // namespace larmor::flow::user

/// `id` may be "": then it is "user." and the name of the file.
#define LARMOR_OPERATION(id, describe)                                                                            \
  extern "C" __attribute__((visibility("default"))) const char* larmor_operation_for() { return LARMOR_VERSION; } \
  extern "C" __attribute__((visibility("default"))) const char* larmor_operation_id() { return id; }              \
  extern "C" __attribute__((visibility("default"))) void* larmor_operation_make() {                               \
    return new ::larmor::flow::NodeType(describe());                                                              \
  }
