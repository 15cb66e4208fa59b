// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/dicom/volume.hpp>
#include <numbers>

namespace larmor::dicom {
namespace {

using Vec = std::array<double, 3>;

double dot(const Vec& a, const Vec& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vec cross(const Vec& a, const Vec& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
Vec scaled(const Vec& a, double s) { return {a[0] * s, a[1] * s, a[2] * s}; }
Vec minus(const Vec& a, const Vec& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double norm(const Vec& a) { return std::sqrt(dot(a, a)); }
Vec unit(const Vec& a) { return scaled(a, 1 / norm(a)); }

// Positions are written with 3 to 6 decimals.
constexpr double same_place = 0.02;  // [mm]

std::string place_of(const Series& series, const Frame& f) {
  const auto& i = series.instances[f.instance];
  std::string s = i.file.filename().string();
  if (i.data.number("NumberOfFrames").value_or(1) > 1) s += fmt::format(" frame {}", f.number + 1);
  return s;
}

// Of two files of one name in two folders, the second with its folder.
std::string other_place_of(const Series& series, const Frame& f, const Frame& first) {
  const auto text = place_of(series, f);
  return text == place_of(series, first) ? series.instances[f.instance].file.string() : text;
}

// What an object says that could not be used as numbers: " (PixelSpacing is '1,2\\1,2')".
std::string told(const Series& series, const Frame& f, const char* name) {
  const auto text = series.instances[f.instance].data.text(name);
  return text.empty() ? "" : fmt::format(" ({} is '{}')", name, text);
}

// Errors of a series name it once.
[[noreturn]] void refuse(const Series& series, Errc code, const std::string& what, const std::string& advice) {
  throw Error(code, what, advice).at("series " + series.describe());
}

void check_alike(const Series& series, const std::vector<Frame>& frames) {
  const Frame& a = frames[0];
  std::size_t turned = 0;
  const Frame* other = nullptr;
  for (const auto& f : frames) {
    if (!f.placed)
      refuse(series, Errc::format,
             fmt::format("{} does not say where it lies{}{}", place_of(series, f),
                         told(series, f, "ImagePositionPatient"), told(series, f, "ImageOrientationPatient")),
             "a volume needs ImagePositionPatient and ImageOrientationPatient in every picture");
    if (f.rows != a.rows || f.columns != a.columns)
      refuse(series, Errc::shape,
             fmt::format("pictures of different size: {} is {} x {}, {} is {} x {}", place_of(series, a), a.columns,
                         a.rows, place_of(series, f), f.columns, f.rows),
             "give the files of one volume only");
    if (!(f.spacing[0] > 0 && f.spacing[1] > 0))
      refuse(series, Errc::format,
             fmt::format("{} has no PixelSpacing{}", place_of(series, f), told(series, f, "PixelSpacing")),
             "volumes need the size of a pixel");
    if (!(std::isfinite(f.slope) && std::isfinite(f.intercept) && f.slope != 0))
      refuse(series, Errc::format,
             fmt::format("pixels of {} cannot be rescaled{}{}", place_of(series, f), told(series, f, "RescaleSlope"),
                         told(series, f, "RescaleIntercept")),
             "export it again; RescaleSlope is 1 where nothing is rescaled");
    if (std::abs(f.spacing[0] - a.spacing[0]) > 1e-3 * a.spacing[0] ||
        std::abs(f.spacing[1] - a.spacing[1]) > 1e-3 * a.spacing[1])
      refuse(series, Errc::shape,
             fmt::format("pictures of different pixel size: {} has {} x {} mm, {} has {} x {} mm", place_of(series, a),
                         a.spacing[0], a.spacing[1], place_of(series, f), f.spacing[0], f.spacing[1]),
             "give the files of one volume only");
    double apart = 0;
    for (std::size_t k = 0; k < 6; ++k) apart = std::max(apart, std::abs(f.orientation[k] - a.orientation[k]));
    if (apart > 1e-3) ++turned, other = &f;
  }
  if (turned)
    refuse(series, Errc::shape,
           fmt::format(
               "{} of {} pictures are turned against the first: {} has ImageOrientationPatient {:.4f}, {} has {:.4f}",
               turned, frames.size(), place_of(series, a), fmt::join(a.orientation, "\\"), place_of(series, *other),
               fmt::join(other->orientation, "\\")),
           "a localiser of several planes is no volume; give one plane");
}

// Groups of frames of one place, in the order of places.
std::vector<std::vector<Frame>> by_place(std::vector<Frame> frames, const Vec& normal) {
  std::stable_sort(frames.begin(), frames.end(),
                   [&](const Frame& a, const Frame& b) { return dot(a.position, normal) < dot(b.position, normal); });
  std::vector<std::vector<Frame>> places;
  for (auto& f : frames) {
    if (places.empty() || dot(f.position, normal) - dot(places.back()[0].position, normal) > same_place)
      places.emplace_back();
    places.back().push_back(f);
  }
  return places;
}

struct Key {
  const char* axis;
  double Frame::*value;
};
constexpr Key keys[] = {{"t", &Frame::temporal},    {"b", &Frame::b_value},        {"echo", &Frame::echo_time},
                        {"ti", &Frame::inversion},  {"fa", &Frame::flip},          {"t", &Frame::trigger},
                        {"t", &Frame::acquisition}, {"t", &Frame::instance_number}};

void order_within(const Series& series, std::vector<std::vector<Frame>>& places, Layout& out) {
  const std::size_t n = places[0].size();
  for (const auto& p : places)
    if (p.size() != n) {
      const auto& more = p.size() > n ? p : places[0];
      refuse(series, Errc::shape,
             fmt::format("{} pictures lie at the place of {}, and {} at that of {}", p.size(), place_of(series, p[0]),
                         n, place_of(series, places[0][0])),
             fmt::format("remove duplicates ({} and {} lie at the same place), or add the pictures that are missing",
                         place_of(series, more[0]), other_place_of(series, more[1], more[0])));
    }
  out.size[3] = static_cast<std::int64_t>(n);
  if (n == 1) return;
  // The first key that tells all pictures of a place apart is what the fourth axis counts.
  for (const auto& key : keys) {
    const auto differ = [&](std::vector<Frame>& place) {
      std::stable_sort(place.begin(), place.end(),
                       [&](const Frame& a, const Frame& b) { return a.*key.value < b.*key.value; });
      for (std::size_t i = 1; i < place.size(); ++i)
        if (!(place[i - 1].*key.value < place[i].*key.value)) return false;
      return true;
    };
    if (!std::all_of(places.begin(), places.end(), differ)) continue;
    out.fourth = key.axis;
    if (key.value == &Frame::instance_number)
      out.warnings.push_back("only InstanceNumber tells apart the pictures of one place");
    return;
  }
  refuse(series, Errc::shape,
         fmt::format("{} and {} lie at the same place, and nothing tells them apart", place_of(series, places[0][0]),
                     other_place_of(series, places[0][1], places[0][0])),
         "remove duplicates");
}

// Distances between neighbours: one step for all, and straight ahead.
Vec check_steps(const Series& series, const std::vector<std::vector<Frame>>& places, const Vec& normal,
                const VolumeOptions& options) {
  const std::size_t n = places.size();
  std::vector<double> steps;
  for (std::size_t k = 1; k < n; ++k)
    steps.push_back(dot(minus(places[k][0].position, places[k - 1][0].position), normal));
  auto sorted = steps;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double usual = sorted[sorted.size() / 2], tolerance = std::max(same_place, 0.02 * usual);
  for (std::size_t k = 0; k < steps.size(); ++k) {
    if (std::abs(steps[k] - usual) <= tolerance) continue;
    const double times = steps[k] / usual;
    const bool missing = times > 1.5 && std::abs(times - std::round(times)) < 0.1;
    const auto between =
        fmt::format("between {} and {}", place_of(series, places[k][0]), place_of(series, places[k + 1][0]));
    if (missing)
      refuse(
          series, Errc::shape,
          fmt::format("{} slice{} missing {}: they are {:.4g} mm apart, the others {:.4g} mm",
                      static_cast<int>(std::round(times)) - 1, times < 2.5 ? " is" : "s are", between, steps[k], usual),
          "fetch the whole series again");
    refuse(series, Errc::shape,
           fmt::format("slices are not evenly spaced: {:.4g} mm {}, {:.4g} mm elsewhere", steps[k], between, usual),
           "give the files of one volume only");
  }
  const Vec whole = minus(places[n - 1][0].position, places[0][0].position);
  const Vec step = scaled(whole, 1.0 / static_cast<double>(n - 1));
  for (std::size_t k = 0; k < n; ++k) {
    const Vec off = minus(minus(places[k][0].position, places[0][0].position), scaled(step, static_cast<double>(k)));
    if (norm(off) > std::max(0.1, tolerance))
      refuse(series, Errc::shape,
             fmt::format("slices do not lie on a line: {} is {:.3g} mm off", place_of(series, places[k][0]), norm(off)),
             "give the files of one volume only");
  }
  const double along = dot(whole, normal), aside = norm(minus(whole, scaled(normal, along)));
  const double angle = std::atan2(aside, along) * 180 / std::numbers::pi;
  if (angle > 0.2 && aside > 0.1 && !options.allow_tilt)
    refuse(series, Errc::shape,
           fmt::format("slices are shifted along each other by {:.1f} degrees (gantry tilt, {:.3g} mm in all)", angle,
                       aside),
           "resample it to a straight grid; --tilt keeps it as a sheared one");
  // Headers round positions. Along the normal and by the distance of the first two slices, as other converters take it,
  // unless that puts the last slice elsewhere.
  const Vec first = scaled(normal, steps[0]);
  const Vec off = minus(scaled(first, static_cast<double>(n - 1)), whole);
  return norm(off) < 0.01 ? first : step;
}

}  // namespace

Layout lay_out(const Series& series, const VolumeOptions& options) {
  auto frames = frames_of(series);
  if (frames.empty())
    throw Error(Errc::format, "no pictures are in series " + series.describe(), "choose a series of images");
  check_alike(series, frames);
  const Frame a = frames[0];
  const Vec row{a.orientation[0], a.orientation[1], a.orientation[2]},
      column{a.orientation[3], a.orientation[4], a.orientation[5]};
  if (std::abs(norm(row) - 1) > 0.01 || std::abs(norm(column) - 1) > 0.01 || std::abs(dot(row, column)) > 0.01)
    refuse(series, Errc::format,
           fmt::format("ImageOrientationPatient {:.4f} is no pair of right-angled unit vectors",
                       fmt::join(a.orientation, "\\")),
           "copy or export it again");
  const Vec x = unit(row), y = unit(column), normal = unit(cross(x, y));

  Layout out;
  const auto total = static_cast<std::int64_t>(frames.size()) * a.rows * a.columns;
  if (total > options.at_most)
    refuse(series, Errc::range,
           fmt::format("{} x {} x {} pictures are {} voxels, and {} are allowed", a.columns, a.rows, frames.size(),
                       total, options.at_most),
           "choose a smaller series");
  if (const int promised = static_cast<int>(series.head().number("ImagesInAcquisition").value_or(0));
      promised > static_cast<int>(frames.size())) {
    out.promised_more = promised - static_cast<int>(frames.size());
    out.warnings.push_back(
        fmt::format("ImagesInAcquisition says {} pictures, and {} are here", promised, frames.size()));
  }
  auto places = by_place(std::move(frames), normal);
  order_within(series, places, out);
  out.size[0] = a.columns, out.size[1] = a.rows, out.size[2] = static_cast<std::int64_t>(places.size());
  Vec step = scaled(normal, a.gap > 0 ? a.gap : a.thickness > 0 ? a.thickness : 1.0);
  if (places.size() > 1) {
    step = check_steps(series, places, normal, options);
    if (const double told = a.gap; told > 0 && std::abs(norm(step) - told) > std::max(same_place, 0.02 * told))
      out.warnings.push_back(
          fmt::format("slices are {:.4g} mm apart, and SpacingBetweenSlices says {:.4g} mm", norm(step), told));
  } else if (!(a.gap > 0 || a.thickness > 0)) {
    out.warnings.push_back("one slice without SliceThickness: taken as 1 mm thick");
  }

  const Vec origin = places[0][0].position;
  for (std::size_t k = 0; k < 3; ++k) {
    const double sign = k < 2 ? -1 : 1;  // LPS to RAS
    out.affine.m[k] = {sign * x[k] * a.spacing[1], sign * y[k] * a.spacing[0], sign * step[k], sign * origin[k]};
    for (auto& v : out.affine.m[k]) v += 0.0;  // no negative zeros
  }
  for (std::size_t t = 0; t < places[0].size(); ++t)
    for (const auto& p : places) out.frames.push_back(p[t]);
  return out;
}

}  // namespace larmor::dicom
