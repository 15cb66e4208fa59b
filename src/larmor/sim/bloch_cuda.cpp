// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/sim/bloch_cuda.hpp>
#include <memory>
#include <string>

namespace larmor::sim {
namespace {

#if defined(LARMOR_HAS_CUDA)
class Memory {
 public:
  explicit Memory(Device device) : device_(device) {}
  template <class T>
  T* room(std::size_t count) {
    kept_.push_back(allocate(std::max<std::size_t>(count, 1) * sizeof(T), device_));
    return reinterpret_cast<T*>(kept_.back().get());
  }
  /// nullptr stays nullptr.
  template <class T>
  T* copy(const T* from, std::size_t count) {
    if (!from) return nullptr;
    T* to = room<T>(count);
    if (count) copy_bytes(to, device_, from, Device::cpu(), count * sizeof(T));
    return to;
  }
  template <class T>
  void back(T* to, const T* from, std::size_t count) {
    if (count) copy_bytes(to, Device::cpu(), from, device_, count * sizeof(T));
  }

 private:
  Device device_;
  std::vector<std::shared_ptr<std::byte>> kept_;
};
#endif

}  // namespace

void bloch_on_cuda(Device device, [[maybe_unused]] const BlochRun& run, [[maybe_unused]] const Program& program,
                   [[maybe_unused]] std::vector<double>& signal) {
  if (device.index >= cuda_device_count())
    throw Error(Errc::device,
                "no " + device.str() + " here: " +
                    (cuda_device_count() ? std::to_string(cuda_device_count()) + " CUDA devices" : cuda_why_not()),
                "use device cpu");
#if defined(LARMOR_HAS_CUDA)
  Memory d(device);
  const std::size_t n = run.n, coils = static_cast<std::size_t>(run.n_coils);
  BlochRun there = run;
  constexpr const double* BlochRun::*doubles[] = {&BlochRun::x,  &BlochRun::y,  &BlochRun::z, &BlochRun::df,
                                                  &BlochRun::vx, &BlochRun::vy, &BlochRun::vz};
  constexpr const float* BlochRun::*floats[] = {&BlochRun::R1, &BlochRun::R2, &BlochRun::M0, &BlochRun::B1,
                                                &BlochRun::D};
  for (const auto f : doubles) there.*f = d.copy(run.*f, n);
  for (const auto f : floats) there.*f = d.copy(run.*f, n);
  there.coil_re = d.copy(run.coil_re, n * coils), there.coil_im = d.copy(run.coil_im, n * coils);
  there.segments = d.copy(program.segments.data(), program.segments.size());
  there.rf = d.copy(program.rf.data(), program.rf.size());
  there.adc = d.copy(program.adc.data(), program.adc.size());
  there.instances = d.copy(program.instances.data(), program.instances.size());
  there.maps = d.copy(program.maps.data(), program.maps.size());
  there.map_instances = d.copy(program.map_instances.data(), program.map_instances.size());
  there.decay_times = d.copy(program.decay_times.data(), program.decay_times.size());
  there.mx = d.copy(run.mx, n), there.my = d.copy(run.my, n), there.mz = d.copy(run.mz, n);
  const std::size_t frames = 3 * n * program.record_times.size();
  there.record = frames ? d.room<float>(frames) : nullptr;
  float* scratch = d.room<float>(n * bloch_scratch(run, 1));
  double* sums = d.copy(signal.data(), signal.size());
  bloch_launch(there, scratch, sums, device.index);
  d.back(run.mx, there.mx, n), d.back(run.my, there.my, n), d.back(run.mz, there.mz, n);
  d.back(run.record, there.record, frames);
  d.back(signal.data(), sums, signal.size());
#endif
}

}  // namespace larmor::sim
