// SPDX-License-Identifier: Apache-2.0
#include <larmor/fit/status.hpp>

namespace larmor::fit {
namespace {
struct Words {
  std::string_view name, sentence;
};
constexpr Words words[n_fit_status] = {
    {"outside", "outside the mask"},
    {"converged", "converged inside all bounds"},
    {"at_bound", "converged with a parameter on a bound"},
    {"no_signal", "constant or zero data, nothing to fit"},
    {"bad_data", "NaN or infinite values in the data"},
    {"not_converged", "the iteration limit was reached"},
    {"singular", "the data do not determine the parameters"},
    {"out_of_range", "values that the signal equation cannot produce"},
};
}  // namespace

std::string_view to_string(FitStatus status) { return words[static_cast<int>(status)].name; }
std::string_view explain(FitStatus status) { return words[static_cast<int>(status)].sentence; }

}  // namespace larmor::fit
