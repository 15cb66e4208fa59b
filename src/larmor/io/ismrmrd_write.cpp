// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <ismrmrd/dataset.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/hdf5.hpp>
#include <larmor/io/ismrmrd.hpp>
#include <larmor/io/mrd_header.hpp>
#include <larmor/io/mrd_readouts.hpp>
#include <map>

namespace larmor::io {
namespace {

using F = std::complex<float>;

const std::map<std::string, MrdReadout::Counter>& counters() {
  static const std::map<std::string, MrdReadout::Counter> all{
      {"slice", MrdReadout::slice}, {"t", MrdReadout::repetition}, {"echo", MrdReadout::contrast},
      {"phase", MrdReadout::phase}, {"set", MrdReadout::set},      {"average", MrdReadout::average},
  };
  return all;
}

std::vector<double> meta_numbers_of(const Metadata& meta, const std::string& key) {
  const auto it = meta.find(key);
  if (it == meta.end()) return {};
  if (const auto* v = std::get_if<std::vector<double>>(&it->second)) return *v;
  return {};
}

// An array as readouts: its axes brought to (sample, coil, rest...), and which counter each of the rest is.
struct Lines {
  Array data;  // packed
  std::vector<MrdReadout::Counter> counter;
  std::int64_t samples = 1, coils = 1, count = 1;
};
Lines lines_of(const Array& kspace, bool cartesian) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  Lines out;
  std::vector<int> order, rest;
  int coil = -1;
  order.push_back(kspace.axis(cartesian ? "x" : "sample"));
  for (int i = 0; i < kspace.rank(); ++i) {
    const auto& name = kspace.axes()[static_cast<std::size_t>(i)];
    if (kspace.extent(i) > 65535)
      throw Error(Errc::shape, fmt::format("{} along {}: 65535 is the most", kspace.extent(i), name));
    if (i == order[0]) continue;
    if (name == "coil") {
      coil = i;
      continue;
    }
    rest.push_back(i);
    if (name == (cartesian ? "y" : "arm"))
      out.counter.push_back(MrdReadout::step_1);
    else if (name == "z")  // read back as z, too: partitions when there are no slices beside
      out.counter.push_back(MrdReadout::step_2);
    else if (const auto it = counters().find(name); it != counters().end())
      out.counter.push_back(it->second);
    else
      throw Error(Errc::shape, "ISMRMRD has no counter for axis '" + name + "' of " + kspace.describe(),
                  "rename it: y or arm, z, slice, t, echo, phase, set, average");
  }
  if (coil >= 0) order.push_back(coil);
  order.insert(order.end(), rest.begin(), rest.end());
  out.data = kspace.to(Device::cpu()).permuted(order).cast(DType::c64).contiguous_copy();
  out.samples = out.data.extent(0), out.coils = coil >= 0 ? out.data.extent(1) : 1;
  out.count = out.samples > 0 && out.coils > 0 ? out.data.size() / (out.samples * out.coils) : 0;
  return out;
}

ISMRMRD::Acquisition acquisition(const F* data, std::int64_t samples, std::int64_t coils, std::int64_t dimensions = 0) {
  ISMRMRD::Acquisition a(static_cast<uint16_t>(samples), static_cast<uint16_t>(coils),
                         static_cast<uint16_t>(dimensions));
  a.available_channels() = static_cast<uint16_t>(coils);
  a.center_sample() = dimensions ? 0 : static_cast<uint16_t>(samples / 2);
  std::copy(data, data + samples * coils, a.getDataPtr());
  return a;
}

void set_counter(ISMRMRD::Acquisition& a, MrdReadout::Counter c, std::int64_t value) {
  auto& idx = a.idx();
  uint16_t* const places[] = {&idx.kspace_encode_step_1,
                              &idx.kspace_encode_step_2,
                              &idx.average,
                              &idx.slice,
                              &idx.contrast,
                              &idx.phase,
                              &idx.repetition,
                              &idx.set};
  *places[c] = static_cast<uint16_t>(value);
}

class Writer {
 public:
  Writer(const std::filesystem::path& path, const Metadata& protocol) : set_(path.c_str(), "dataset", true) {
    const auto it = protocol.find("DwellTime");
    if (const auto* s = it == protocol.end() ? nullptr : std::get_if<double>(&it->second))
      dwell_us_ = static_cast<float>(*s * 1e6);
  }
  void header(const std::string& xml) { set_.writeHeader(xml); }
  void add(ISMRMRD::Acquisition& a) {
    // The header is packed: its members are written in it, not through references, which would be misaligned.
    ISMRMRD::AcquisitionHeader head = a.getHead();
    head.scan_counter = scan_++, head.sample_time_us = dwell_us_;
    a.setHead(head);
    set_.appendAcquisition(a);
  }

 private:
  ISMRMRD::Dataset set_;
  std::uint32_t scan_ = 0;
  float dwell_us_ = 0;
};

void write_noise(Writer& file, const Array& noise) {
  if (noise.empty()) return;
  const Lines n = lines_of(noise.with_axes({"sample", "coil"}), false);
  constexpr std::int64_t longest = 4096;
  for (std::int64_t first = 0; first < n.samples; first += longest) {
    const std::int64_t count = std::min(longest, n.samples - first);
    std::vector<F> part;
    for (std::int64_t c = 0; c < n.coils; ++c) {
      const F* from = n.data.data<F>() + n.samples * c + first;
      part.insert(part.end(), from, from + count);
    }
    auto a = acquisition(part.data(), count, n.coils);
    ISMRMRD::AcquisitionHeader head = a.getHead();
    head.setFlag(ISMRMRD::ISMRMRD_ACQ_IS_NOISE_MEASUREMENT);
    a.setHead(head);
    file.add(a);
  }
}

void write_lines(Writer& file, const Lines& lines, const Trajectory* traj, bool calibration) {
  const Array k = traj ? traj->k.to(Device::cpu()).cast(DType::f32).contiguous_copy() : Array();
  const int d = traj ? traj->dimensions() : 0;
  const std::int64_t k_lines = traj && lines.samples ? traj->size() / lines.samples : 0;
  for (std::int64_t l = 0; l < lines.count; ++l) {
    const F* data = lines.data.data<F>() + l * lines.samples * lines.coils;
    // What was not measured is not written; samples along a trajectory all are.
    if (!traj && std::all_of(data, data + lines.samples * lines.coils, [](F v) { return v == F{}; })) continue;
    auto a = acquisition(data, lines.samples, lines.coils, d);
    std::int64_t rest = l, line = 0, stride = 1;
    for (std::size_t i = 0; i < lines.counter.size(); ++i) {
      const std::int64_t n = lines.data.extent(static_cast<int>(i) +
                                               (lines.data.rank() - static_cast<int>(lines.counter.size()))),
                         index = rest % n;
      rest /= n;
      set_counter(a, lines.counter[i], index);
      if (stride < k_lines) line += index * stride;
      stride *= n;
    }
    for (std::int64_t s = 0; s < lines.samples && traj; ++s)
      for (int i = 0; i < d; ++i) {
        // cycles/pixel, as most programs write them
        const double v = static_cast<double>(k.data<float>()[s + lines.samples * (line + k_lines * i)]) /
                         static_cast<double>(traj->matrix[static_cast<std::size_t>(i)]);
        a.traj(static_cast<uint16_t>(i), static_cast<uint16_t>(s)) = static_cast<float>(v);
      }
    if (calibration) {
      ISMRMRD::AcquisitionHeader head = a.getHead();
      head.setFlag(ISMRMRD::ISMRMRD_ACQ_IS_PARALLEL_CALIBRATION);
      a.setHead(head);
    }
    file.add(a);
  }
}

MrdHeader sizes_of(const Mrd& data) {
  MrdHeader out;
  out.cartesian = !data.traj;
  out.encoded = {1, 1, 1};
  if (data.traj) {
    for (std::size_t a = 0; a < data.traj->matrix.size(); ++a) out.encoded[a] = data.traj->matrix[a];
  } else {
    const char* const names[] = {"x", "y", "z"};
    for (std::size_t a = 0; a < 3; ++a)
      for (int i = 0; i < data.kspace.rank(); ++i)
        if (data.kspace.axes()[static_cast<std::size_t>(i)] == names[a]) out.encoded[a] = data.kspace.extent(i);
  }
  const auto fill = [&](const char* key, std::array<double, 3> instead) {
    const auto v = meta_numbers_of(data.protocol, key);
    for (std::size_t a = 0; a < 3 && v.size() == 3; ++a) instead[a] = v[a];
    return instead;
  };
  std::array<double, 3> fov{0, 0, 0};
  if (data.traj)
    for (std::size_t a = 0; a < data.traj->fov.size(); ++a) fov[a] = data.traj->fov[a];
  out.encoded_fov = fill("EncodedFieldOfView", fov);
  out.fov = fill("FieldOfView", out.encoded_fov);
  out.matrix = out.encoded;
  if (const auto v = meta_numbers_of(data.protocol, "MatrixSize"); v.size() == 3)
    for (std::size_t a = 0; a < 3; ++a) out.matrix[a] = static_cast<std::int64_t>(v[a]);
  return out;
}

}  // namespace

void write_ismrmrd(const std::filesystem::path& path, const Mrd& data) {
  namespace fs = std::filesystem;
  fs::path work;
  try {
    if (data.traj) {
      data.traj->check();
      if (data.traj->matrix.empty()) throw Error(Errc::shape, "the trajectory has no matrix size", "give it one");
      require_same_samples(*data.traj, data.kspace, "k-space");
    }
    const Lines lines = lines_of(data.kspace, !data.traj);
    std::array<std::int64_t, 8> limits{};
    for (std::size_t i = 0; i < lines.counter.size(); ++i)
      limits[lines.counter[i]] =
          lines.data.extent(static_cast<int>(i) + lines.data.rank() - static_cast<int>(lines.counter.size()));
    const std::string xml =
        data.header.empty() ? make_mrd_header(data.protocol, sizes_of(data), limits, lines.coils) : data.header;
    const h5::Use use;
    if (path.has_parent_path()) fs::create_directories(path.parent_path());
    if (fs::is_directory(path)) throw Error(Errc::file, "this is a folder", "give the name of a file");
    work = path.parent_path() / fmt::format(".{}.{}.part", path.filename().string(), getpid());
    fs::remove(work);
    {
      Writer file(work, data.protocol);
      file.header(xml);
      write_noise(file, data.noise);
      write_lines(file, lines, data.traj ? &*data.traj : nullptr, false);
      if (!data.calibration.empty()) write_lines(file, lines_of(data.calibration, true), nullptr, true);
    }
    fs::rename(work, path);
  } catch (Error& e) {
    std::error_code ignored;
    if (!work.empty()) fs::remove(work, ignored);
    throw e.at(path.string());
  } catch (const std::exception& e) {
    std::error_code ignored;
    if (!work.empty()) fs::remove(work, ignored);
    throw Error(Errc::file, fmt::format("writing ISMRMRD: {}", e.what()), "is the folder writable, and is there room?")
        .at(path.string());
  }
}

}  // namespace larmor::io
