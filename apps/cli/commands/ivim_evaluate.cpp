// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <larmor/core/parallel.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/montage.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/table.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/score.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "ivim_series.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

struct Candidate {
  std::string name, method;
  ivim::EstimateOptions options;
};

std::vector<Candidate> candidates(const Call& call, const ivim::Prior& prior, double noise) {
  ivim::EstimateOptions o;
  o.noise_sd = noise, o.log_D_star = prior.log_D_star;
  o.f = {prior.f_low, prior.f_high}, o.D = {prior.D_low, prior.D_high},
  o.D_star = {prior.D_star_low, prior.D_star_high};
  std::vector<Candidate> all;
  for (const char* m : {"ivim.segmented", "ivim.lm", "ivim.varpro", "ivim.map", "ivim.posterior"})
    all.push_back({m, m, o});
  for (const auto& file : call.texts("WEIGHTS")) {
    const auto weights = nn::read_weights(file);
    try {
      o.network = std::make_shared<const ivim::VoxelNetwork>(weights);
    } catch (Error& e) {
      throw e.at(file);
    }
    all.push_back({fmt::format("network {} ({})", fs::path(file).stem().string(), to_string(o.network->kind)),
                   "ivim.network", o});
  }
  return all;
}

std::string number(double x, const char* format) {
  return std::isfinite(x) ? fmt::format(fmt::runtime(format), x) : "-";
}

io::Table table_of(const std::vector<ivim::Score>& scores, const ivim::Score& limit) {
  io::Table t{.columns = {"method", "f", "of limit", "D [mm2/s]", "of limit", "D* [mm2/s]", "of limit", "z f", "z D",
                          "z D*", "rho(D*, f)", "us/voxel/core", "failed"},
              .rows = {},
              .source = {}};
  const auto row = [&](const ivim::Score& s) {
    std::vector<std::string> r{s.name};
    constexpr const char* formats[] = {"{:.4f}", "{:.3e}", "{:.5f}"};
    for (std::size_t m = 0; m < 3; ++m) {
      r.push_back(number(s.rmse[m], formats[m]));
      r.push_back(number(s.rmse[m] / limit.rmse[m], "{:.3f}"));
    }
    for (const double z : s.z) r.push_back(number(z, "{:.3f}"));
    r.push_back(number(s.rho, "{:+.3f}"));
    r.push_back(s.us > 0 ? fmt::format("{:.3f}", s.us) : "-");
    r.push_back(std::to_string(s.failed));
    t.rows.push_back(std::move(r));
  };
  for (const auto& s : scores) row(s);
  row(limit);
  return t;
}

std::string text_of(const io::Table& t) {
  std::vector<std::vector<std::string>> rows{t.columns};
  rows.insert(rows.end(), t.rows.begin(), t.rows.end());
  return text_table(rows);
}

std::string escaped(const std::string& text) {  // names of files come in here
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

/// Columns `from` to `to` of a table, behind its first.
io::Table part_of(const io::Table& t, std::size_t from, std::size_t to) {
  io::Table out{.columns = {t.columns[0]}, .rows = {}, .source = {}};
  out.columns.insert(out.columns.end(), t.columns.begin() + static_cast<std::ptrdiff_t>(from),
                     t.columns.begin() + static_cast<std::ptrdiff_t>(to));
  for (const auto& row : t.rows) {
    std::vector<std::string> r{row[0]};
    r.insert(r.end(), row.begin() + static_cast<std::ptrdiff_t>(from), row.begin() + static_cast<std::ptrdiff_t>(to));
    out.rows.push_back(std::move(r));
  }
  return out;
}

double rms_error(const std::vector<float>& found, const std::vector<float>& truth) {
  double sum = 0;
  for (std::size_t v = 0; v < truth.size(); ++v) sum += std::pow(found[v] - truth[v], 2);
  return std::sqrt(sum / static_cast<double>(truth.size()));
}

// The picture of three regions: truth, then every method.
struct Pictures {
  std::vector<io::Figure> figures;
  std::vector<std::pair<std::string, io::Picture>> files;
};
Pictures pictures_of(const std::vector<Candidate>& all, const ivim::Prior& prior, std::span<const double> b,
                     double noise, std::uint64_t seed, const Cancel& cancel) {
  constexpr std::int64_t n = 100;
  const auto s = ivim::three_regions(n, b, noise, seed);
  const std::vector<double> bs(b.begin(), b.end());
  const std::pair<double, double> windows[] = {{0, prior.f_high}, {0, prior.D_high}, {0, prior.D_star_high}};
  constexpr const char* names[] = {"f", "D", "D_star"};
  std::vector<std::vector<float>> panels[3];
  for (std::size_t m = 0; m < 3; ++m) panels[m].push_back(s.truth[m + 1]);
  std::vector<std::string> labels{"truth"};
  for (const auto& c : all) {
    cancel.check();
    const auto e = estimate(c.method, {.data = s.signal, .b = bs, .mask = {}}, c.options, {}, &cancel);
    for (std::size_t m = 0; m < 3; ++m) panels[m].push_back(e.fit.values[m + 1]);
    labels.push_back(c.name);
  }
  Pictures out;
  for (std::size_t m = 0; m < 3; ++m) {
    const auto count = static_cast<std::int64_t>(panels[m].size());
    constexpr std::int64_t columns = 4, side = 200, pitch_x = 212, pitch_y = 232;
    io::Montage look;
    look.map = "viridis", look.window = windows[m], look.zoom = 2, look.columns = 1;
    Array stack(DType::f32, {n, n, count}, {"x", "y", "z"});
    std::string tiles;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto& panel = panels[m][static_cast<std::size_t>(i)];
      std::copy(panel.begin(), panel.end(), stack.data<float>() + i * n * n);
      const Array one = Array::from<float>(panel, {n, n, 1}, {"x", "y", "z"});
      const auto x = i % columns * pitch_x, y = i / columns * pitch_y;
      tiles += fmt::format("<image x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{2}\" href=\"{3}\"/>", x, y, side,
                           io::png_uri(io::montage(one, look)));
      const std::string error = i == 0 ? "" : fmt::format(": {:.2g}", rms_error(panel, panels[m][0]));
      tiles += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"10\" fill=\"currentColor\">{}</text>", x, y + side + 17,
                           escaped(labels[static_cast<std::size_t>(i)] + error));
    }
    look.columns = static_cast<int>(columns);
    out.files.emplace_back(fmt::format("regions_{}.png", names[m]), io::montage(stack, look));
    out.figures.push_back(
        {fmt::format("<svg viewBox=\"0 0 {} {}\" width=\"100%\" font-family=\"sans-serif\">{}</svg>", columns * pitch_x,
                     (count + columns - 1) / columns * pitch_y, tiles),
         fmt::format("{0}, dark 0 to bright {1:g}{2}; truth {3:g}, {4:g} and {5:g}{2} from the rim to "
                     "the middle. Numbers are root mean square errors of this picture.",
                     names[m], windows[m].second, m == 0 ? "" : " mm2/s", s.truth[m + 1][0],
                     s.truth[m + 1][n / 4 * n + n / 4], s.truth[m + 1][n / 2 * n + n / 2]),
         names[m]});
  }
  return out;
}

int run(const Call& call) {
  const ivim::Prior prior = ivim_prior(call);
  const double noise = call.number("--noise");
  const auto b = call.numbers("--b");
  const auto n = static_cast<std::size_t>(call.integer("--samples"));
  const auto seed = static_cast<std::uint64_t>(call.integer("--seed"));
  const auto& cancel = Cancel::interrupt();
  const auto all = candidates(call, prior, noise);
  const auto s = ivim::simulate(n, b, prior, noise, true, seed);
  const ivim::Signals signals{.data = s.signal, .b = b, .mask = {}};
  std::vector<ivim::Score> scores;
  const int threads = thread_count();
  set_thread_count(1);  // the times are of one core
  for (const auto& c : all) {
    cancel.check();
    double best = 1e300;
    ivim::Estimate e;
    // The pure work: what describes a fit comes on top of any method.
    for (int repeat = 0; repeat < call.integer("--repeats"); ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      e = ivim::methods().get(c.method).run(signals, c.options, {}, &cancel);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    scores.push_back(ivim::score(c.name, e.fit, s.truth));
    scores.back().us = best / static_cast<double>(n) * 1e6;
  }
  set_thread_count(threads);
  ivim::PosteriorOptions exact;
  exact.prior = prior, exact.noise_sd = noise;
  const auto limit = ivim::limit_of(grid_posterior(s.signal, b, {}, exact, {}, &cancel));
  const io::Table table = table_of(scores, limit);
  const std::string what =
      fmt::format("{} signals, b = {} s/mm2, Rician noise {:g}, f {:g} to {:g}, D {:g} to {:g}, D* {:g} to {:g} mm2/s",
                  with_commas(static_cast<long long>(n)), fmt::join(b, ", "), noise, prior.f_low, prior.f_high,
                  prior.D_low, prior.D_high, prior.D_star_low, prior.D_star_high);
  if (call.given("--out")) {
    io::OutputFolder out(call.text("--out"));
    io::write_table(out.path() / "methods.csv", table, {what});
    const auto pictures = pictures_of(all, prior, b, noise, seed, cancel);
    for (const auto& [name, picture] : pictures.files) io::write_png(out.path() / name, picture);
    io::HtmlReport page("IVIM: methods beside the limit", what);
    page.section(
        "Errors over the prior",
        "Root mean square errors; the limit is that of the posterior mean under the prior that the signals were "
        "drawn from, below which no estimate can come.");
    page.table(part_of(table, 1, 7));
    page.section("Calibration and speed",
                 "z is error over claimed error: 1 when calibrated. rho is the rank correlation of D* and f among the "
                 "estimates less that among the truths.");
    page.table(part_of(table, 7, table.columns.size()));
    page.section(
        "Three regions",
        "The picture of Barbieri et al. (2020). Its truths lie on one line, so it flatters networks that have "
        "collapsed onto a line: the tables above count. The files regions_*.png hold the same panels, row by row.");
    for (const auto& f : pictures.figures) page.figure(f);
    page.section("References");
    page.key_values({{"Simulation", "Barbieri et al., Magn. Reson. Med. 83:312 (2020)"},
                     {"Least expected error", "Neil and Bretthorst, Magn. Reson. Med. 29:642 (1993)"}});
    page.write(out.path() / "report.html");
    out.commit();
  }
  if (call.json) {
    json rows = json::array();
    const auto row = [&](const ivim::Score& x) {
      const auto list = [](const double(&v)[3]) {
        json j = json::array();
        for (const double y : v) j.push_back(std::isfinite(y) ? json(y) : json(nullptr));
        return j;
      };
      rows.push_back({{"method", x.name},
                      {"rmse", list(x.rmse)},
                      {"z", list(x.z)},
                      {"rho", std::isfinite(x.rho) ? json(x.rho) : json(nullptr)},
                      {"us", x.us},
                      {"failed", x.failed}});
    };
    for (const auto& x : scores) row(x);
    row(limit);
    json told{{"order", {"f", "D", "D_star"}}, {"methods", rows}};
    if (call.given("--out")) told["folder"] = call.text("--out");
    print_json(told);
  } else {
    fmt::print("{}\n{}\n", what, text_of(table));
  }
  if (call.given("--out") && !call.quiet)
    fmt::print(stderr, "{}: methods.csv, pictures and report.html\n", call.text("--out"));
  return 0;
}

}  // namespace

void register_ivim_evaluate(Commands& commands) {
  Command c{
      .name = "ivim evaluate",
      .does =
          "Every method of IVIM, and trained networks, on the same simulated signals beside the least possible error",
      .in =
          {{.name = "WEIGHTS", .what = "of larmor ivim train, for these b-values", .optional = true, .repeated = true}},
      .opt = {folder("--out", "folder of methods.csv, the picture of three regions and report.html").output().as("-o"),
              integer("--samples", "signals", 20000, 100, 10000000),
              Option{.name = "--b",
                     .what = "b-values [s/mm2]",
                     .kind = Kind::number,
                     .start = "0,10,20,60,150,300,500,1000",
                     .lower = 0,
                     .upper = 1e5}
                  .many(),
              number("--noise", "standard deviation of the noise, S0 = 1 [1]", 0.01, 1e-6, 1),
              integer("--repeats", "of each method; the shortest time counts", 1, 1, 100),
              integer("--seed", "of the signals", 7, 0, 1000000000)},
      .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)",
               "Neil and Bretthorst, Magn. Reson. Med. 29:642 (1993)"},
      .examples = {"larmor ivim train p.safetensors && larmor ivim evaluate p.safetensors -o comparison"},
      .more = "Bounds of fits and priors are the ranges that the parameters are drawn from.",
      .run = run};
  for (auto& o : ivim_prior_options()) c.opt.push_back(o);
  commands.add(std::move(c));
}

}  // namespace larmor::cli
