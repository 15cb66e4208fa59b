// SPDX-License-Identifier: Apache-2.0
#include "seg_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/report.hpp>

namespace larmor::cli {

io::Picture overlay_picture(const nn::TrainSample& sample, const std::vector<std::uint8_t>& found, int zoom) {
  const auto& n = sample.size;
  const auto at = [&](int x, int y, int z) { return static_cast<std::size_t>((z * n[1] + y) * n[0] + x); };
  std::array<double, 3> centre{};
  double count = 0;
  for (int z = 0; z < n[2]; ++z)
    for (int y = 0; y < n[1]; ++y)
      for (int x = 0; x < n[0]; ++x)
        if (sample.labels[at(x, y, z)] > 0) centre[0] += x, centre[1] += y, centre[2] += z, ++count;
  std::array<int, 3> middle{n[0] / 2, n[1] / 2, n[2] / 2};
  if (count > 0)
    for (std::size_t a = 0; a < 3; ++a) middle[a] = static_cast<int>(centre[a] / count);
  // Planes (across, up): axial (x, y), coronal (x, z), sagittal (y, z).
  constexpr std::array<std::array<int, 3>, 3> planes{{{0, 1, 2}, {0, 2, 1}, {1, 2, 0}}};
  int width = 0, height = 0;
  for (const auto& p : planes)
    width += n[static_cast<std::size_t>(p[0])], height = std::max(height, n[static_cast<std::size_t>(p[1])]);
  io::Picture out{width * zoom, height * zoom, 3, {}};
  out.pixels.assign(static_cast<std::size_t>(out.width * out.height * 3), 0);
  constexpr std::array<std::array<double, 3>, 3> colours{{{230, 159, 0}, {86, 180, 233}, {0, 158, 115}}};
  int left = 0;
  for (const auto& p : planes) {
    const auto across = static_cast<std::size_t>(p[0]), up = static_cast<std::size_t>(p[1]),
               fixed = static_cast<std::size_t>(p[2]);
    const auto index = [&](int u, int v) {
      std::array<int, 3> q{};
      // The patient's right and front are on the left, as in the report of a study.
      q[across] = n[across] - 1 - std::clamp(u, 0, n[across] - 1), q[up] = std::clamp(v, 0, n[up] - 1),
      q[fixed] = middle[fixed];
      return at(q[0], q[1], q[2]);
    };
    for (int v = 0; v < n[up] * zoom; ++v)
      for (int u = 0; u < n[across] * zoom; ++u) {
        const int iu = u / zoom, iv = v / zoom;
        const auto i = index(iu, iv);
        const double grey = std::clamp(110 + 55 * static_cast<double>(sample.image[i]), 0.0, 255.0);
        std::array<double, 3> colour{grey, grey, grey};
        if (!found.empty() && found[i] > 0)
          for (std::size_t k = 0; k < 3; ++k)
            colour[k] = 0.6 * grey + 0.4 * colours[static_cast<std::size_t>(found[i] - 1) % 3][k];
        const auto label = sample.labels[i];
        const bool edge = (u % zoom == 0 && index(iu - 1, iv) != i && sample.labels[index(iu - 1, iv)] != label) ||
                          (v % zoom == 0 && index(iu, iv - 1) != i && sample.labels[index(iu, iv - 1)] != label);
        if (edge) colour = {255, 255, 255};
        const int row = out.height - 1 - v;
        auto* pixel = out.pixels.data() + static_cast<std::size_t>((row * out.width + left + u) * 3);
        for (std::size_t k = 0; k < 3; ++k) pixel[k] = static_cast<std::uint8_t>(colour[k]);
      }
    left += n[across] * zoom;
  }
  return out;
}

void TrainingPage::write(const std::vector<nn::Epoch>& history, int epochs, const io::Picture& picture,
                         const std::string& picture_title) const {
  io::HtmlReport report(title, device);
  if (!history.empty()) {
    const auto& last = history.back();
    const nn::Epoch* best = nullptr;
    for (const auto& e : history)
      if (e.best) best = &e;
    report.tiles({{fmt::format("{} / {}", last.number, epochs), "", done ? "epochs, done" : "epochs"},
                  {fmt::format("{:.4f}", last.loss), "", "loss"},
                  {best ? fmt::format("{:.4f}", best->merged) : "-", "",
                   best ? fmt::format("best merged Dice, epoch {}", best->number) : "best merged Dice"},
                  {fmt::format("{:.2f}", last.samples_per_second), "1/s", "samples"}});
    io::Series loss{.label = "training"}, rate{}, speed{};
    std::vector<io::Series> dice(classes.size() > 0 ? classes.size() : 1);
    dice[0].label = "merged";
    for (std::size_t c = 1; c < dice.size(); ++c) dice[c].label = classes[c];
    for (auto& d : dice) d.draw = io::Series::Draw::both;
    for (const auto& e : history) {
      const double x = e.number;
      loss.x.push_back(x), loss.y.push_back(e.loss), rate.x.push_back(x), rate.y.push_back(e.rate);
      speed.x.push_back(x), speed.y.push_back(e.samples_per_second);
      if (e.merged < 0) continue;
      dice[0].x.push_back(x), dice[0].y.push_back(e.merged);
      for (std::size_t c = 1; c < dice.size() && c - 1 < e.dice.size(); ++c)
        dice[c].x.push_back(x), dice[c].y.push_back(e.dice[c - 1]);
    }
    std::vector<io::Figure> figures;
    const std::vector<io::Series> losses{loss}, rates{rate}, speeds{speed};
    figures.push_back({io::svg_curves({.x_label = "Epoch", .y_label = "Loss"}, losses),
                       "Cross-entropy and Dice loss of training", "Loss"});
    if (!dice[0].x.empty())
      figures.push_back(
          {io::svg_curves({.x_label = "Epoch", .y_label = "Dice"}, dice), "Of the images that are held out", "Dice"});
    figures.push_back({io::svg_curves({.x_label = "Epoch", .y_label = "Rate", .y_from_zero = true}, rates),
                       "At the end of the epoch", "Learning rate"});
    figures.push_back(
        {io::svg_curves({.x_label = "Epoch", .y_label = "Throughput", .y_unit = "1/s", .y_from_zero = true}, speeds),
         "Patches a second", "Throughput"});
    report.section("Curves").figures(figures);
  }
  if (picture.width > 0)
    report.section("Sample").figure(
        {fmt::format("<img alt=\"overlay\" style=\"max-width:100%;image-rendering:pixelated\" src=\"{}\">",
                     io::png_uri(picture)),
         picture_title + ": axial, coronal, sagittal, the patient's right (front) on the left; white: the label, "
                         "colour: what was found"});
  report.section("Settings").details("configuration", settings);
  std::string html = report.html();
  if (!done) {  // a browser that has the page open follows
    const auto head = html.find("<head>");
    if (head != std::string::npos) html.insert(head + 6, "<meta http-equiv=\"refresh\" content=\"10\">");
  }
  io::write_text(path, html);
}

}  // namespace larmor::cli
