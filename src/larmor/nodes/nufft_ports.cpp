// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <larmor/nodes/nufft_ports.hpp>
#include <mutex>

namespace larmor::nodes {
namespace {

// What is kept holds the arrays it was made from, so that their memory is nobody else's.
bool same(const Array& a, const Array& b) {
  return a.rank() == b.rank() && (a.rank() == 0 || (a.raw() == b.raw() && a.dtype() == b.dtype() &&
                                                    a.shape() == b.shape() && a.strides() == b.strides()));
}

struct Known {
  Array k;
  Shape image;
  double tolerance, oversampling, memory;
  int width;
  bool many;
  Device device;
  recon::Nufft plan;
};
struct KnownShift {
  Array k, dcf;
  Shape image;
  std::vector<double> shift;
  Array weights;
};
constexpr std::size_t kept = 3;

std::mutex& lock() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}

}  // namespace

void add_nufft_settings(flow::NodeType& type) {
  std::move(type)
      .set(flow::Setting::numbers("size", "voxels along x, y(, z); those of the trajectory when empty", {}))
      .set(flow::Setting("tolerance", "root mean square of the error against the exact sum, relative", 1e-4, 1e-6, 0.1))
      .set(flow::Setting("width", "points of the window along an axis; 0: chosen", 0, 0, 12))
      .set(flow::Setting("oversampling", "points of the grid a voxel; 0: chosen", 0.0, 0.0, 4.0))
      .set(flow::Setting(
          "memory", "most megabytes that the transform takes beside samples and images; 0: all it needs to be fast",
          0.0, 0.0, 1e6));
}

Shape image_size(const flow::Ports& io, const Trajectory& traj) {
  const auto size = io.setting("size").numbers();
  if (size.empty()) return traj.matrix;
  if (size.size() != traj.matrix.size())
    throw Error(Errc::usage,
                fmt::format("'size' has {} numbers and the trajectory {} coordinates", size.size(), traj.matrix.size()),
                "give one an axis, or none");
  return voxels_of(size, "size");
}

std::vector<std::int64_t> voxels_of(const std::vector<double>& numbers, std::string_view what) {
  std::vector<std::int64_t> out;
  for (const double n : numbers) {
    if (!(std::abs(n) <= 1e9) || n != std::floor(n))
      throw Error(Errc::range, fmt::format("'{}' is {:g}", what, n), "give a whole number of voxels");
    out.push_back(static_cast<std::int64_t>(n));
  }
  return out;
}

recon::Nufft nufft_plan(const flow::Ports& io, const Trajectory& traj, const Shape& image, std::int64_t batch) {
  static std::deque<Known>& known = *new std::deque<Known>;
  const double tolerance = io.setting("tolerance"), oversampling = io.setting("oversampling"),
               memory = io.setting("memory");
  const int width = static_cast<int>(io.setting("width"));
  const bool many = batch > 4;
  // Slices that run side by side wait for the first one's plan.
  const std::lock_guard hold(lock());
  for (const auto& one : known)
    if (same(one.k, traj.k) && one.image == image && one.tolerance == tolerance && one.oversampling == oversampling &&
        one.memory == memory && one.width == width && one.many == many && one.device == io.device())
      return one.plan;
  recon::Nufft plan(traj, image,
                    {.tolerance = tolerance,
                     .width = width,
                     .oversampling = oversampling,
                     .batch = many ? 8 : 1,
                     .memory = static_cast<std::size_t>(1e6 * memory),
                     .device = io.device()},
                    &io.cancel());
  if (known.size() >= kept) known.pop_front();
  known.push_back({traj.k, image, tolerance, oversampling, memory, width, many, io.device(), plan});
  return plan;
}

Array shifted_weights(const Trajectory& traj, const Shape& image, const Array& dcf, const std::vector<double>& shift) {
  static std::deque<KnownShift>& known = *new std::deque<KnownShift>;
  const std::lock_guard hold(lock());
  for (const auto& one : known)
    if (same(one.k, traj.k) && same(one.dcf, dcf) && one.image == image && one.shift == shift) return one.weights;
  Array weights = recon::shift_phase(traj, image, dcf, shift);
  if (known.size() >= kept) known.pop_front();
  known.push_back({traj.k, dcf, image, shift, weights});
  return weights;
}

std::vector<double> image_shift(std::vector<double> given, const flow::Value& protocol, std::size_t axes) {
  if (!given.empty()) return given;
  for (std::size_t d = 0; d < axes; ++d) {
    const auto by = reconstruction_setting(protocol, std::string("shift_") + "xyz"[d] + "_pixels");
    if (by && given.empty()) given.assign(axes, 0.0);
    if (by) given[d] = *by;
  }
  return given;
}

std::optional<double> reconstruction_setting(const flow::Value& protocol, std::string_view name) {
  if (protocol.none()) return {};
  if (protocol.kind() != flow::Value::Kind::record)
    throw Error(Errc::type, "a protocol is needed and this is " + protocol.describe(), "read one with io.read_json");
  for (const auto& [group, settings] : protocol.fields()) {
    if (!group.starts_with("reconstruction_settings") || settings.kind() != flow::Value::Kind::record) continue;
    const flow::Value v = settings.field(name);
    if (v.none()) continue;
    if (v.kind() != flow::Value::Kind::number)
      throw Error(Errc::type, fmt::format("protocol: '{}' is {}", name, v.describe()), "give a number");
    return v.number();
  }
  return {};
}

}  // namespace larmor::nodes
