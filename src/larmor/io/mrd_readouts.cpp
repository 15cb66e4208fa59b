// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstddef>
#include <cstring>
#include <larmor/io/hdf5.hpp>
#include <larmor/io/mrd_readouts.hpp>

namespace larmor::io {
namespace {

// What of a record is read: HDF5 finds members by their names, whatever else a version of the format holds.
struct Counters {
  std::uint16_t value[MrdReadout::n_counters];
};
struct Head {
  std::uint64_t flags;
  std::uint16_t samples, coils, discard_pre, discard_post, centre, space, dimensions;
  float sample_time_us;
  Counters counters;
};
struct Record {
  Head head;
  hvl_t traj, data;
};

h5::Handle compound(std::size_t size) { return {H5Tcreate(H5T_COMPOUND, size), H5Tclose, "making a type"}; }
void insert(hid_t type, const char* name, std::size_t offset, hid_t member) {
  h5::require(H5Tinsert(type, name, offset, member), "making a type");
}

h5::Handle record_type() {
  constexpr const char* counters[] = {
      "kspace_encode_step_1", "kspace_encode_step_2", "average", "slice", "contrast", "phase", "repetition", "set"};
  const h5::Handle idx = compound(sizeof(Counters));
  for (std::size_t c = 0; c < MrdReadout::n_counters; ++c)
    insert(idx, counters[c], c * sizeof(std::uint16_t), H5T_NATIVE_UINT16);
  const h5::Handle head = compound(sizeof(Head));
  insert(head, "flags", offsetof(Head, flags), H5T_NATIVE_UINT64);
  insert(head, "number_of_samples", offsetof(Head, samples), H5T_NATIVE_UINT16);
  insert(head, "active_channels", offsetof(Head, coils), H5T_NATIVE_UINT16);
  insert(head, "discard_pre", offsetof(Head, discard_pre), H5T_NATIVE_UINT16);
  insert(head, "discard_post", offsetof(Head, discard_post), H5T_NATIVE_UINT16);
  insert(head, "center_sample", offsetof(Head, centre), H5T_NATIVE_UINT16);
  insert(head, "encoding_space_ref", offsetof(Head, space), H5T_NATIVE_UINT16);
  insert(head, "trajectory_dimensions", offsetof(Head, dimensions), H5T_NATIVE_UINT16);
  insert(head, "sample_time_us", offsetof(Head, sample_time_us), H5T_NATIVE_FLOAT);
  insert(head, "idx", offsetof(Head, counters), idx);
  const h5::Handle numbers(H5Tvlen_create(H5T_NATIVE_FLOAT), H5Tclose, "making a type");
  h5::Handle record = compound(sizeof(Record));
  insert(record, "head", offsetof(Record, head), head);
  insert(record, "traj", offsetof(Record, traj), numbers);
  insert(record, "data", offsetof(Record, data), numbers);
  return record;
}

MrdReadout readout(const Record& r, std::size_t number) {
  MrdReadout out;
  out.flags = r.head.flags;
  out.samples = r.head.samples, out.coils = r.head.coils, out.centre = r.head.centre;
  out.discard_pre = r.head.discard_pre, out.discard_post = r.head.discard_post;
  out.space = r.head.space, out.dimensions = r.head.dimensions;
  out.dwell = static_cast<double>(r.head.sample_time_us) * 1e-6;
  for (std::size_t c = 0; c < MrdReadout::n_counters; ++c) out.counter[c] = r.head.counters.value[c];
  const auto need = [&](const hvl_t& v, std::int64_t n, const char* what) {
    if (static_cast<std::int64_t>(v.len) != n)
      throw Error(Errc::format,
                  fmt::format("readout {}: {} numbers of {} for {} samples of {} coils", number, v.len, what,
                              out.samples, out.coils),
                  "is the file damaged?");
  };
  need(r.data, 2 * out.samples * out.coils, "data");
  need(r.traj, out.samples * out.dimensions, "trajectory");
  const auto* data = static_cast<const std::complex<float>*>(r.data.p);
  out.data.assign(data, data + out.samples * out.coils);
  const auto* traj = static_cast<const float*>(r.traj.p);
  out.traj.assign(traj, traj + out.samples * out.dimensions);
  if (out.discard_pre + out.discard_post > out.samples)
    throw Error(Errc::format, fmt::format("readout {}: {} and {} of its {} samples are to be discarded", number,
                                          out.discard_pre, out.discard_post, out.samples));
  return out;
}

// The group of the data: "dataset", or the only one at the top with "data" and "xml" in it.
std::string group_of(hid_t file) {
  if (h5::exists(file, "/dataset/data")) return "/dataset";
  std::vector<std::string> found, all;
  H5G_info_t info;
  h5::require(H5Gget_info(file, &info), "listing the file");
  for (hsize_t i = 0; i < std::min<hsize_t>(info.nlinks, 1000); ++i) {
    char name[256] = {};
    if (H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0) continue;
    all.emplace_back(name);
    if (h5::exists(file, "/" + all.back() + "/data")) found.push_back("/" + all.back());
  }
  if (found.size() == 1) return found[0];
  std::string names;
  for (const auto& n : all) names += (names.empty() ? "" : ", ") + n;
  throw Error(Errc::format, "no group 'dataset' with readouts in 'data'",
              names.empty() ? "the file is empty" : "this is another kind of HDF5 file; it holds: " + names);
}

}  // namespace

void scan_mrd_readouts(const std::filesystem::path& path, const std::function<void(const std::string&)>& header,
                       const std::function<void(const MrdReadout&)>& found) {
  const h5::Use use;
  const h5::Handle file = h5::open(path);
  const std::string group = group_of(file);
  header(h5::exists(file, group + "/xml") ? h5::read_text(file, group + "/xml") : std::string());
  const h5::Handle set(H5Dopen2(file, (group + "/data").c_str(), H5P_DEFAULT), H5Dclose, "opening the readouts");
  const h5::Handle stored(H5Dget_type(set), H5Tclose, "the type of the readouts");
  if (H5Tget_class(stored) != H5T_COMPOUND || H5Tget_member_index(stored, "head") < 0 ||
      H5Tget_member_index(stored, "data") < 0 || H5Tget_member_index(stored, "traj") < 0)
    throw Error(Errc::format, group + "/data holds no ISMRMRD readouts (head, traj, data)",
                "is it another kind of HDF5 file?");
  const h5::Handle space(H5Dget_space(set), H5Sclose, "the number of readouts");
  const auto points = H5Sget_simple_extent_npoints(space);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (points < 1 || rank < 1 || rank > 2) throw Error(Errc::format, "the file holds no readouts");
  hsize_t extent[2] = {1, 1};
  H5Sget_simple_extent_dims(space, extent, nullptr);
  if (rank == 2 && extent[1] != 1) throw Error(Errc::format, fmt::format("readouts of {} x {}", extent[0], extent[1]));
  // A readout has a head of more than 300 bytes in the file, so a damaged count is found before it is believed.
  if (const auto bytes = std::filesystem::file_size(path); static_cast<std::uint64_t>(points) > bytes / 64 + 1)
    throw Error(Errc::format, fmt::format("{} readouts in a file of {} bytes", points, bytes),
                "is the file truncated or damaged?");
  const h5::Handle type = record_type();
  constexpr hsize_t at_once = 64;
  for (hsize_t first = 0; first < extent[0]; first += at_once) {
    const hsize_t start[2] = {first, 0}, count[2] = {std::min(at_once, extent[0] - first), 1};
    h5::require(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr), "choosing readouts");
    const h5::Handle memory(H5Screate_simple(rank, count, nullptr), H5Sclose, "making a space");
    std::vector<Record> records(count[0]);
    std::memset(static_cast<void*>(records.data()), 0, records.size() * sizeof(Record));
    struct Reclaim {
      hid_t type, space;
      void* data;
      ~Reclaim() { H5Dvlen_reclaim(type, space, H5P_DEFAULT, data); }
    };
    h5::require(H5Dread(set, type, memory, space, H5P_DEFAULT, records.data()),
                fmt::format("reading readouts {} to {} of {}", first, first + count[0] - 1, extent[0]));
    const Reclaim reclaim{type, memory, records.data()};
    for (hsize_t i = 0; i < count[0]; ++i) found(readout(records[i], first + i));
  }
}

}  // namespace larmor::io
