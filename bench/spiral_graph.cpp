// SPDX-License-Identifier: Apache-2.0
// Table 1 of GPI's paper (Zwart and Pipe, MRM 74:1128, 2015) with the graph engine: 20 slices of 79 arms x 825 samples
// to 300 x 300, from the protocol to the images (trajectory, density compensation, transform), all slices at once and
// mapped over slices. Times are of runs that find nothing in the cache; bytes are those of values on wires as the
// engine counts them, and what the process grew by at most. The answer is checked against the exact sum.
//   bench_spiral_graph [tolerance]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <complex>
#include <cstdlib>
#include <fstream>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/engine.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <random>
#include <string>

namespace {

using namespace larmor;
using flow::Value;
using C = std::complex<float>;
using Z = std::complex<double>;

// The settings of the scan that the paper's authors published with their data.
constexpr const char* protocol = R"json({"fov_m": 0.24, "resolution_m": 0.001, "arms": 79, "read_samples": 825,
  "dwell_ms": 0.0048, "gradient_raster_ms": 0.0064, "max_gradient_mT_per_m": 20.249001,
  "max_slew_mT_per_m_per_ms": 139.998993, "max_gradient_frequency_kHz": 1.0, "gamma_kHz_per_mT": 42.577469,
  "undersampling": [1, 1, 1], "in_out": "out",
  "reconstruction_settings": {"density_compensation_iterations": 15, "effective_matrix": 300, "taper": 0.1,
    "kmax_convention": "k scaled by 0.8*2/sqrt(pi)"}})json";

flow::Graph graph_of(const std::string& protocol_file, bool mapped, double tolerance) {
  flow::Graph g;
  const auto node = [](const char* op) {
    flow::Node n;
    n.op = op;
    return n;
  };
  g.nodes["protocol"] = node("io.read_json");
  g.nodes["protocol"].settings["path"] = protocol_file;
  g.nodes["trajectory"] = node("traj.spiral");
  g.nodes["dcf"] = node("recon.dcf");
  g.nodes["image"] = node("recon.nufft_adjoint");
  g.nodes["image"].settings["tolerance"] = tolerance;
  if (mapped) g.nodes["image"].map = flow::MapOver{.axis = "slice"};
  g.inputs["kspace"] = {.type = "array", .inside = {"image.in"}};
  g.outputs["image"] = {.type = "array", .inside = {"image.out"}};
  g.outputs["trajectory"] = {.type = "trajectory", .inside = {"trajectory.trajectory"}};
  g.outputs["dcf"] = {.type = "array", .inside = {"dcf.out"}};
  g.wires = {{"dcf.protocol", "protocol.value"},
             {"dcf.trajectory", "trajectory.trajectory"},
             {"image.dcf", "dcf.out"},
             {"image.trajectory", "trajectory.trajectory"},
             {"trajectory.protocol", "protocol.value"}};
  return g;
}

double megabytes(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::atof(line.c_str() + std::string(key).size() + 1) / 1e3;
  return 0;
}

double error(const Trajectory& traj, const Array& samples, const Array& dcf, const Array& images) {
  const Shape n{images.extent(0), images.extent(1)};
  std::mt19937 random(5);
  std::vector<std::int64_t> at;
  for (int i = 0; i < 100; ++i) at.push_back(std::int64_t(random() % static_cast<unsigned>(n[0] * n[1])));
  const Array exact = recon::nudft_adjoint_at(traj, n, samples.range(2, 19, 20).contiguous_copy(), dcf, at);
  const Array last = images.range(2, 19, 20).contiguous_copy();
  double dd = 0, qq = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const Z e = exact.data<Z>()[static_cast<std::int64_t>(i)];
    dd += std::norm(Z(last.data<C>()[at[i]]) - e), qq += std::norm(e);
  }
  return std::sqrt(dd / qq);
}

}  // namespace

int main(int argc, char** argv) {
  const double tolerance = argc > 1 ? std::atof(argv[1]) : 2e-3;
  char name[] = "/tmp/larmor_bench_XXXXXX";
  close(mkstemp(name));
  std::ofstream(name) << protocol;
  bool right = true;
  const int both = thread_count();
  fmt::print("spiral graph, 20 slices of 79 x 825 -> 300^2, tolerance {:.1e}\n", tolerance);
  for (const int threads : both == 1 ? std::vector{1} : std::vector{1, both})
    for (const bool mapped : {false, true}) {
      set_thread_count(threads);
      Array samples = Array::uninitialised(DType::c64, {825, 79, 20}, {"sample", "arm", "slice"});
      std::mt19937 random(7);
      std::uniform_real_distribution<float> in(-1, 1);
      for (auto& v : samples.span<C>()) v = {in(random), in(random)};
      const auto graph = graph_of(name, mapped, tolerance);
      std::vector<double> times;
      double values = 0, grown = 0;
      std::map<std::string, double> parts;
      for (int repeat = 0; repeat < 9; ++repeat) {
        flow::Engine engine(nodes::operations());
        flow::RunOptions options;
        options.inputs["kspace"] = flow::ValueTraits<Array>::to(samples);
        std::ofstream("/proc/self/clear_refs") << "5";
        const double before = megabytes("VmRSS");
        const auto report = engine.run(graph, options);
        grown = std::max(grown, megabytes("VmHWM") - before);
        if (report.state != "done") {
          for (const auto& [path, node] : report.nodes) fmt::print("{}: {}\n", path, node.error);
          return 1;
        }
        times.push_back(report.seconds);
        values = std::max(values, double(report.peak_bytes) / 1e6);
        for (const auto& [path, node] : report.nodes) parts[path] = 1e3 * node.seconds;
        if (repeat == 0) {
          const auto array = [&](const char* port) {
            return flow::ValueTraits<Array>::from(engine.value(graph, port, options));
          };
          const auto traj = flow::ValueTraits<Trajectory>::from(engine.value(graph, "trajectory", options));
          const double e = error(traj, samples, array("dcf"), array("image"));
          if (!(e < 1.2 * tolerance)) fmt::print("  WRONG: an error of {:.2g}\n", e), right = false;
        }
      }
      std::sort(times.begin(), times.end());
      fmt::print("  {}, {} thread{}: {:.1f} ms (best {:.1f}); values {:.1f} MB, process {:.1f} MB more;",
                 mapped ? "mapped" : "bulk", threads, threads == 1 ? "" : "s", 1e3 * times[times.size() / 2],
                 1e3 * times[0], values, grown);
      for (const auto& [path, ms] : parts) fmt::print(" {} {:.1f}", path, ms);
      fmt::print(" ms\n");
    }
  std::remove(name);
  return right ? 0 : 1;
}
