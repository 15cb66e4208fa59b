// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/ismrmrd.hpp>
#include <larmor/io/mrd_header.hpp>
#include <larmor/io/mrd_readouts.hpp>
#include <map>

namespace larmor::io {
namespace {

using F = std::complex<float>;
using Readouts = std::vector<const MrdReadout*>;

struct Sorted {
  Readouts imaging, calibration, noise;
  std::vector<std::string> notes;
};
Sorted sort_by_purpose(const std::vector<MrdReadout>& all) {
  Sorted out;
  std::map<std::string, int> left_out;
  for (const auto& r : all) {
    namespace f = mrd_flag;
    if (r.samples == 0 || r.coils == 0)
      ++left_out["without samples"];
    else if (r.has(f::noise))
      out.noise.push_back(&r);
    else if (r.has(f::navigation))
      ++left_out["of navigators"];
    else if (r.has(f::phase_correction))
      ++left_out["for phase correction"];
    else if (r.has(f::dummy) || r.has(f::feedback_hp) || r.has(f::feedback_rt) || r.has(f::surface_coil) ||
             r.has(f::stabilisation) || r.has(f::stabilisation_reference))
      ++left_out["of dummies, feedback, surface coil correction or phase stabilisation"];
    else if (r.space != 0)
      ++left_out["of further encoding spaces"];
    else if (r.has(f::calibration) && !r.has(f::calibration_and_imaging))
      out.calibration.push_back(&r);
    else
      out.imaging.push_back(&r);
  }
  for (const auto& [what, n] : left_out) out.notes.push_back(fmt::format("{} readouts {} were left out", n, what));
  return out;
}

// Axes that counters make, and where each readout lies on them.
struct Counting {
  Axes names;
  Shape extents;
  std::vector<MrdReadout::Counter> counters;
};
Counting count(const Readouts& readouts, bool partitions_are_space) {
  std::array<std::int64_t, MrdReadout::n_counters> extent{};
  for (const auto* r : readouts)
    for (std::size_t c = 0; c < extent.size(); ++c) extent[c] = std::max(extent[c], r->counter[c] + 1);
  Counting out;
  const auto add = [&](MrdReadout::Counter c, const char* name) {
    if (extent[c] > 1) out.names.emplace_back(name), out.extents.push_back(extent[c]), out.counters.push_back(c);
  };
  const bool partitions = extent[MrdReadout::step_2] > 1;
  if (!partitions_are_space) add(MrdReadout::step_2, "z");
  add(MrdReadout::slice, partitions ? "slice" : "z");
  add(MrdReadout::repetition, "t"), add(MrdReadout::contrast, "echo"), add(MrdReadout::phase, "phase");
  add(MrdReadout::set, "set"), add(MrdReadout::average, "average");
  return out;
}

void require_alike(const Readouts& readouts, bool samples_too) {
  for (std::size_t i = 1; i < readouts.size(); ++i) {
    const auto &a = *readouts[0], &b = *readouts[i];
    if (a.coils != b.coils || a.dimensions != b.dimensions || (samples_too && a.samples != b.samples))
      throw Error(Errc::format,
                  fmt::format("readout {} has {} samples, {} coils and {} coordinates; the first has {}, {} and {}", i,
                              b.samples, b.coils, b.dimensions, a.samples, a.coils, a.dimensions));
  }
}

// Counters say how large the array is, and the file how many numbers there are: 256 times undersampled is no scan.
void require_plausible(const Shape& shape, const Readouts& readouts) {
  double places = 1, numbers = 0;
  for (const auto n : shape) places *= static_cast<double>(n);
  for (const auto* r : readouts) numbers += static_cast<double>(r->data.size());
  if (places > 256 * numbers + 1e6)
    throw Error(Errc::format,
                fmt::format("the counters of {} readouts span {}, {:.3g} numbers for the {:.3g} that are there",
                            readouts.size(), to_string(shape), places, numbers),
                "is the file damaged?");
}

// Where sample 0 of a full line lies along an encoded axis, from the step of k = 0 when it is known.
std::int64_t first_step(std::optional<std::int64_t> centre, std::int64_t n) { return centre ? n / 2 - *centre : 0; }

Array cartesian(const Readouts& readouts, const MrdHeader& h, std::vector<std::string>& notes) {
  require_alike(readouts, false);
  std::int64_t longest = 0, steps_1 = 0, steps_2 = 0;
  for (const auto* r : readouts) {
    longest = std::max(longest, r->samples);
    steps_1 = std::max(steps_1, r->counter[MrdReadout::step_1] + 1);
    steps_2 = std::max(steps_2, r->counter[MrdReadout::step_2] + 1);
  }
  const std::int64_t nx = std::max(h.encoded[0], longest);
  std::int64_t ny = h.encoded[1], nz = h.encoded[2], first_y = first_step(h.centre_1, ny),
               first_z = first_step(h.centre_2, nz);
  // A header that knows nothing of the steps: they are places.
  if (steps_1 + std::max<std::int64_t>(first_y, 0) > ny || ny == 0) ny = std::max(ny, steps_1), first_y = 0;
  if (steps_2 + std::max<std::int64_t>(first_z, 0) > nz || nz == 0) nz = std::max(nz, steps_2), first_z = 0;
  const Counting counting = count(readouts, true);
  const std::int64_t coils = readouts[0]->coils;
  Shape shape{nx, ny};
  Axes axes{"x", "y"};
  if (nz > 1) shape.push_back(nz), axes.emplace_back("z");
  shape.push_back(coils), axes.emplace_back("coil");
  const std::size_t beside = shape.size();
  for (std::size_t i = 0; i < counting.names.size(); ++i) {
    // Slices beside partitions are called so; a header of one partition leaves z to them.
    axes.push_back(nz > 1 && counting.names[i] == "z" ? "slice" : counting.names[i]);
    shape.push_back(counting.extents[i]);
  }
  require_plausible(shape, readouts);
  Array out(DType::c64, shape, axes);
  std::vector<bool> taken(static_cast<std::size_t>(out.size() / (nx * coils)));
  int again = 0;
  for (std::size_t k = 0; k < readouts.size(); ++k) {
    const auto& r = *readouts[k];
    const std::int64_t y = first_y + r.counter[MrdReadout::step_1], z = first_z + r.counter[MrdReadout::step_2];
    if (y < 0 || y >= ny || z < 0 || z >= nz)
      throw Error(Errc::format, fmt::format("readout {}: line {} and partition {} of {} x {}", k, y, z, ny, nz));
    // Some writers leave the middle of a full echo at 0.
    const std::int64_t centre = r.centre == 0 && r.samples == nx ? nx / 2 : r.centre;
    const std::int64_t first_x = nx / 2 - (r.has(mrd_flag::reverse) ? r.samples - 1 - centre : centre);
    const std::int64_t low = std::min(first_x, std::int64_t{0}),
                       high = std::max(first_x + r.samples - nx, std::int64_t{0});
    // Of a partial echo in the middle of a matrix too small for it, samples of no energy stick out; of another, all do.
    if (-low + high > r.discard_pre + r.discard_post)
      throw Error(Errc::format, fmt::format("readout {}: {} samples with k = 0 at {} do not fit {} along x", k,
                                            r.samples, centre, nx));
    std::int64_t at = y * nx, stride = nx * ny, line = y;
    std::int64_t lines = ny;
    if (nz > 1) at += z * stride, line += lines * z;
    stride *= std::max<std::int64_t>(nz, 1), lines *= std::max<std::int64_t>(nz, 1);
    const std::int64_t coil_stride = stride;
    stride *= coils;
    for (std::size_t i = 0; i < counting.counters.size(); ++i) {
      at += r.counter[counting.counters[i]] * stride, line += r.counter[counting.counters[i]] * lines;
      stride *= shape[beside + i], lines *= shape[beside + i];
    }
    again += taken[static_cast<std::size_t>(line)];
    taken[static_cast<std::size_t>(line)] = true;
    for (std::int64_t c = 0; c < coils; ++c)
      for (std::int64_t s = r.discard_pre; s < r.samples - r.discard_post; ++s) {
        const std::int64_t x = first_x + (r.has(mrd_flag::reverse) ? r.samples - 1 - s : s);
        if (x >= 0 && x < nx)
          out.data<F>()[at + x + coil_stride * c] = r.data[static_cast<std::size_t>(s + r.samples * c)];
      }
  }
  if (again) notes.push_back(fmt::format("{} readouts took the place of earlier ones with the same counters", again));
  return out;
}

// Whether arms have one trajectory each, whatever the slice, repetition, ... is.
bool one_trajectory(const Readouts& readouts, std::vector<const MrdReadout*>& by_arm) {
  bool same = true;
  for (const auto* r : readouts) {
    auto& first = by_arm[static_cast<std::size_t>(r->counter[MrdReadout::step_1])];
    if (!first) first = r;
    for (std::size_t i = 0; same && i < r->traj.size(); ++i)
      same = std::abs(r->traj[i] - first->traj[i]) <= 1e-6f * std::max(1.0f, std::abs(first->traj[i]));
  }
  return same;
}

void along_trajectory(const Readouts& readouts, const MrdHeader& h, Mrd& out) {
  require_alike(readouts, true);
  const std::int64_t n = readouts[0]->samples, coils = readouts[0]->coils, given = readouts[0]->dimensions;
  std::int64_t arms = 0;
  for (const auto* r : readouts) arms = std::max(arms, r->counter[MrdReadout::step_1] + 1);
  const bool flat = std::max(h.encoded[2], h.matrix[2]) <= 1;
  const std::int64_t d = given == 3 && flat ? 2 : given;
  if (d < 2 || d > 3) throw Error(Errc::format, fmt::format("trajectories of {} dimensions", given));
  if (d != given) out.notes.emplace_back("the third number of the trajectory was left out: the matrix is one plane");
  const Counting counting = count(readouts, false);
  std::vector<const MrdReadout*> by_arm(static_cast<std::size_t>(arms), nullptr);
  const bool same = one_trajectory(readouts, by_arm);
  Shape beside = counting.extents, data_shape{n, arms}, k_shape{n, arms};
  Axes data_axes{"sample", "arm"}, k_axes{"sample", "arm"};
  if (same) data_shape.push_back(coils), data_axes.emplace_back("coil");
  for (std::size_t i = 0; i < beside.size(); ++i) {
    data_shape.push_back(beside[i]), data_axes.push_back(counting.names[i]);
    if (!same) k_shape.push_back(beside[i]), k_axes.push_back(counting.names[i]);
  }
  if (!same) data_shape.push_back(coils), data_axes.emplace_back("coil");
  k_shape.push_back(d), k_axes.emplace_back("d");
  require_plausible(data_shape, readouts);
  Array data(DType::c64, data_shape, data_axes), k(DType::f32, k_shape, k_axes);
  double largest = 0;
  for (const auto* r : readouts)
    for (std::int64_t s = 0; s < n; ++s)
      for (std::int64_t i = 0; i < d; ++i)
        largest = std::max(largest, std::abs(static_cast<double>(r->traj[static_cast<std::size_t>(i + given * s)])));
  Trajectory traj;
  for (std::int64_t i = 0; i < d; ++i) {
    const auto a = static_cast<std::size_t>(i);
    traj.matrix.push_back(std::max<std::int64_t>(h.encoded[a] ? h.encoded[a] : h.matrix[a], 1));
    if (h.encoded_fov[a] > 0) traj.fov.push_back(h.encoded_fov[a]);
  }
  if (traj.fov.size() != traj.matrix.size()) traj.fov.clear();
  const bool per_pixel = largest <= 0.5 * (1 + 1e-3);
  std::int64_t places = 1;
  for (const auto extent : beside) places *= extent;
  std::vector<bool> known(static_cast<std::size_t>(arms * (same ? 1 : places)));
  for (const auto* r : readouts) {
    std::int64_t place = 0, stride = 1;
    for (std::size_t i = 0; i < beside.size(); ++i)
      place += r->counter[counting.counters[i]] * stride, stride *= beside[i];
    const std::int64_t arm = r->counter[MrdReadout::step_1];
    for (std::int64_t c = 0; c < coils; ++c)
      for (std::int64_t s = r->discard_pre; s < n - r->discard_post; ++s) {
        const std::int64_t outer = same ? c + coils * place : place + places * c;
        data.data<F>()[s + n * (arm + arms * outer)] = r->data[static_cast<std::size_t>(s + n * c)];
      }
    const std::int64_t line = arm + arms * (same ? 0 : place);
    known[static_cast<std::size_t>(line)] = true;
    for (std::int64_t i = 0; i < d; ++i)
      for (std::int64_t s = 0; s < n; ++s) {
        const double value = static_cast<double>(r->traj[static_cast<std::size_t>(i + given * s)]) *
                             (per_pixel ? static_cast<double>(traj.matrix[static_cast<std::size_t>(i)]) : 1.0);
        k.data<float>()[s + n * (line + static_cast<std::int64_t>(known.size()) * i)] = static_cast<float>(value);
      }
  }
  if (const auto missing = std::count(known.begin(), known.end(), false); missing > 0)
    throw Error(Errc::format, fmt::format("{} of {} arms have no readout and so no trajectory", missing, known.size()));
  traj.k = k, traj.source = "ISMRMRD";
  traj.check();
  out.kspace = data, out.traj = traj;
}

Array noise_samples(const Readouts& readouts) {
  if (readouts.empty()) return {};
  require_alike(readouts, false);
  std::int64_t n = 0, at = 0;
  for (const auto* r : readouts) n += r->samples - r->discard_pre - r->discard_post;
  const std::int64_t coils = readouts[0]->coils;
  Array out(DType::c64, {n, coils}, {"sample", "coil"});
  for (const auto* r : readouts) {
    const std::int64_t used = r->samples - r->discard_pre - r->discard_post;
    for (std::int64_t c = 0; c < coils; ++c)
      for (std::int64_t s = 0; s < used; ++s)
        out.data<F>()[at + s + n * c] = r->data[static_cast<std::size_t>(s + r->discard_pre + r->samples * c)];
    at += used;
  }
  return out;
}

}  // namespace

bool has_ismrmrd() { return true; }

Mrd read_ismrmrd(const std::filesystem::path& path, const Cancel* cancel) {
  try {
    const MrdFile file = read_mrd_readouts(path, cancel);
    Mrd out;
    out.header = file.header;
    MrdHeader h;
    if (file.header.empty())
      out.notes.emplace_back("the file has no XML header: sizes are those of the readouts");
    else
      h = parse_mrd_header(file.header);
    out.protocol = h.protocol;
    Sorted sorted = sort_by_purpose(file.readouts);
    out.notes.insert(out.notes.end(), sorted.notes.begin(), sorted.notes.end());
    out.noise = noise_samples(sorted.noise);
    if (sorted.imaging.empty() && sorted.noise.empty())
      throw Error(Errc::format, "the file holds no readouts for images and none of noise");
    if (!sorted.imaging.empty()) {
      if (sorted.imaging[0]->dwell > 0) out.protocol["DwellTime"] = sorted.imaging[0]->dwell;
      if (sorted.imaging[0]->dimensions > 0)
        along_trajectory(sorted.imaging, h, out);
      else if (h.cartesian)
        out.kspace = cartesian(sorted.imaging, h, out.notes);
      else
        throw Error(Errc::format, "the header speaks of a trajectory and the readouts have none",
                    "the trajectory must be made by who knows the sequence");
    }
    if (!sorted.calibration.empty() && sorted.calibration[0]->dimensions == 0)
      out.calibration = cartesian(sorted.calibration, h, out.notes);
    return out;
  } catch (Error& e) {
    throw e.at(path.string());
  }
}

}  // namespace larmor::io
