// SPDX-License-Identifier: Apache-2.0
#include <fftw3.h>

#include <cstring>
#include <larmor/core/device.hpp>
#include <larmor/core/fft_backend.hpp>
#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace larmor::fft_backend {
namespace {

// FFTW's planner, plan destruction included, is not thread-safe; executing is. Recursive, because dropping the last
// owner of a plan destroys it and may happen under the lock.
std::recursive_mutex& planner() {
  static std::recursive_mutex mutex;
  return mutex;
}

using Key = std::vector<std::int64_t>;
using Plan = std::shared_ptr<void>;

// The most plans kept: more than any program needs at once, and a bound for one that walks through sizes.
constexpr std::size_t max_plans = 512;

struct Cache {
  std::map<Key, std::pair<Plan, std::list<Key>::iterator>> plans;
  std::list<Key> recent;  // front: used last
};
Cache& cache() {
  // Never destroyed: the order against FFTW's own clean-up at exit is unknown.
  static Cache& the_cache = *new Cache;
  return the_cache;
}

std::int64_t span_of(std::span<const Loop> dims, std::span<const Loop> repeats, bool output) {
  std::int64_t last = 0;
  for (const auto loops : {dims, repeats})
    for (const auto& l : loops) last += (l.n - 1) * (output ? l.out_stride : l.in_stride);
  return last + 1;
}

// Measuring writes into its arrays, so it gets arrays of its own, aligned as the caller's.
struct Scratch {
  Scratch(std::int64_t elements, std::size_t element_size, int alignment)
      : memory(allocate(static_cast<std::size_t>(elements) * element_size + 64, Device::cpu())),
        start(memory.get() + alignment) {
    // Denormals or NaN would distort the timing. A span too long to clear is mapped afresh, and so is zero already.
    if (elements < (std::int64_t{1} << 22))
      std::memset(memory.get(), 0, static_cast<std::size_t>(elements) * element_size + 64);
  }
  std::shared_ptr<std::byte> memory;
  std::byte* start;
};

// Up to here measuring takes well under a second; the limit holds for what is slower than thought.
constexpr std::int64_t measured_up_to = std::int64_t{1} << 21;
constexpr double planning_seconds = 1.0;

unsigned effort(std::span<const Loop> dims, std::span<const Loop> repeats) {
  std::int64_t n = 1;
  for (const auto loops : {dims, repeats})
    for (const auto& l : loops) n *= l.n;
  return n <= measured_up_to ? FFTW_MEASURE : FFTW_ESTIMATE;
}

template <class Iodim>
std::vector<Iodim> to_iodims(std::span<const Loop> loops) {
  std::vector<Iodim> out;
  for (const auto& l : loops) out.push_back({l.n, l.in_stride, l.out_stride});
  return out;
}

struct Double {
  using Complex = fftw_complex;
  static int alignment(const void* p) { return fftw_alignment_of(static_cast<double*>(const_cast<void*>(p))); }
  static Plan plan(std::span<const Loop> dims, std::span<const Loop> repeats, void* in, void* out, bool forward) {
    const auto d = to_iodims<fftw_iodim64>(dims), r = to_iodims<fftw_iodim64>(repeats);
    fftw_set_timelimit(planning_seconds);
    auto* made = fftw_plan_guru64_dft(static_cast<int>(d.size()), d.data(), static_cast<int>(r.size()), r.data(),
                                      static_cast<Complex*>(in), static_cast<Complex*>(out),
                                      forward ? FFTW_FORWARD : FFTW_BACKWARD, effort(dims, repeats));
    return {made, [](void* p) {
              const std::lock_guard lock(planner());
              if (p) fftw_destroy_plan(static_cast<fftw_plan>(p));
            }};
  }
  static void execute(void* plan, void* in, void* out) {
    fftw_execute_dft(static_cast<fftw_plan>(plan), static_cast<Complex*>(in), static_cast<Complex*>(out));
  }
};

struct Single {
  using Complex = fftwf_complex;
  static int alignment(const void* p) { return fftwf_alignment_of(static_cast<float*>(const_cast<void*>(p))); }
  static Plan plan(std::span<const Loop> dims, std::span<const Loop> repeats, void* in, void* out, bool forward) {
    const auto d = to_iodims<fftwf_iodim64>(dims), r = to_iodims<fftwf_iodim64>(repeats);
    fftwf_set_timelimit(planning_seconds);
    auto* made = fftwf_plan_guru64_dft(static_cast<int>(d.size()), d.data(), static_cast<int>(r.size()), r.data(),
                                       static_cast<Complex*>(in), static_cast<Complex*>(out),
                                       forward ? FFTW_FORWARD : FFTW_BACKWARD, effort(dims, repeats));
    return {made, [](void* p) {
              const std::lock_guard lock(planner());
              if (p) fftwf_destroy_plan(static_cast<fftwf_plan>(p));
            }};
  }
  static void execute(void* plan, void* in, void* out) {
    fftwf_execute_dft(static_cast<fftwf_plan>(plan), static_cast<Complex*>(in), static_cast<Complex*>(out));
  }
};

template <class Precision>
Plan plan_for(bool forward, std::span<const Loop> dims, std::span<const Loop> repeats, const void* in,
              const void* out) {
  const bool in_place = in == out;
  const int in_align = Precision::alignment(in), out_align = Precision::alignment(out);
  Key key{std::int64_t{std::is_same_v<Precision, Double>}, forward, in_place, in_align, out_align,
          static_cast<std::int64_t>(dims.size())};
  for (const auto loops : {dims, repeats})
    for (const auto& l : loops) key.insert(key.end(), {l.n, l.in_stride, l.out_stride});

  const std::lock_guard lock(planner());
  auto& known = cache();
  if (const auto at = known.plans.find(key); at != known.plans.end()) {
    known.recent.splice(known.recent.begin(), known.recent, at->second.second);
    return at->second.first;
  }
  constexpr std::size_t size = sizeof(typename Precision::Complex);
  const Scratch from(span_of(dims, repeats, false), size, in_align);
  const Scratch to(in_place ? 0 : span_of(dims, repeats, true), size, in_place ? 0 : out_align);
  Plan plan = Precision::plan(dims, repeats, from.start, in_place ? from.start : to.start, forward);
  if (!plan) throw Error(Errc::internal, "FFTW made no plan for a transform of this shape");
  known.recent.push_front(key);
  known.plans.emplace(std::move(key), std::pair(plan, known.recent.begin()));
  if (known.plans.size() > max_plans) {
    known.plans.erase(known.recent.back());
    known.recent.pop_back();
  }
  return plan;
}

template <class Precision>
void run(bool forward, std::span<const Loop> dims, std::span<const Loop> repeats, const void* in, void* out) {
  const Plan plan = plan_for<Precision>(forward, dims, repeats, in, out);
  Precision::execute(plan.get(), const_cast<void*>(in), out);  // c2c out of place leaves its input as it was
}

}  // namespace

void run_fftw(DType type, bool forward, std::span<const Loop> dims, std::span<const Loop> repeats, const void* in,
              void* out) {
  if (type == DType::c128)
    run<Double>(forward, dims, repeats, in, out);
  else
    run<Single>(forward, dims, repeats, in, out);
}

}  // namespace larmor::fft_backend
