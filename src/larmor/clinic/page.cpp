// SPDX-License-Identifier: Apache-2.0
#include <cairo-pdf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/clinic/checks.hpp>
#include <larmor/clinic/derive.hpp>
#include <larmor/clinic/page.hpp>
#include <larmor/clinic/pen.hpp>
#include <larmor/clinic/planes.hpp>
#include <set>

namespace larmor::clinic {
namespace {

constexpr double page_width = 595, page_height = 842, margin = 36, inner = page_width - 2 * margin;
const Colour ink = colour(0x16242e), grey = colour(0x5d6d78), rule = colour(0xd5dde2), night = colour(0x0f2a3d),
             pale = colour(0xf3f6f8);
const Colour amber = colour(0xd98200), red = colour(0xb3261e), green = colour(0x2e7d4f);

// "20200119" -> "2020-01-19"; anything else as it is.
std::string date_text(const std::string& d) {
  if (d.size() != 8 || d.find_first_not_of("0123456789") != std::string::npos) return d;
  return d.substr(0, 4) + "-" + d.substr(4, 2) + "-" + d.substr(6, 2);
}
std::string time_text(const std::string& t) {
  return t.size() >= 4 && t.find_first_not_of("0123456789.") == std::string::npos
             ? t.substr(0, 2) + ":" + t.substr(2, 2)
             : t;
}
// "Doe^Jane=..." -> "Doe, Jane"; the ideographic or phonetic name where there is no alphabetic one.
std::string name_text(const std::string& name) {
  const auto first = name.find_first_not_of("=^ ");
  const auto group = first == std::string::npos ? std::string::npos : name.rfind('=', first);
  std::string s = group == std::string::npos ? name : name.substr(group + 1);
  s.erase(std::min(s.find('='), s.size()));
  const auto caret = s.find('^');
  if (caret != std::string::npos) s = s.substr(0, caret) + ", " + s.substr(caret + 1);
  std::replace(s.begin(), s.end(), '^', ' ');
  while (!s.empty() && (s.back() == ' ' || s.back() == ',')) s.pop_back();
  return s;
}
std::string or_dash(const std::string& s) { return s.empty() ? "–" : s; }

std::string age_text(const Subject& s) {
  const std::string sex = s.sex == "F" ? "female" : s.sex == "M" ? "male" : s.sex == "O" ? "other" : "–";
  return sex + ", " + (s.years ? fmt::format("{:.0f} years", std::floor(*s.years)) : "age not told");
}

std::string side_title(const Side& s) {
  return s.side == "left"    ? "Left hippocampus"
         : s.side == "right" ? "Right hippocampus"
                             : "Hippocampus, side not stated";
}

void draw_head(Pen& pen, const Results& r) {
  pen.box(0, 0, page_width, 64, night);
  pen.text(margin, 32, "Hippocampal volumetry", {20, true, colour(0xffffff)});
  const auto& d = r.head();
  pen.text(margin, 49,
           fmt::format("MR study of {} {}   {}", date_text(d.text("StudyDate")), time_text(d.text("StudyTime")),
                       d.text("StudyDescription")),
           {9, false, colour(0xb9cbd6)}, Pen::Align::left, inner - 160);
  const std::string notice = "RESEARCH USE ONLY";
  const Font font{8.5, true, night};
  const double w = pen.width(notice, font) + 18;
  pen.box(page_width - margin - w, 20, w, 17, colour(0xffc247), 8.5);
  pen.text(page_width - margin - w / 2, 31.5, notice, font, Pen::Align::centre);
  pen.text(page_width - margin, 49, "not for diagnosis", {8, false, colour(0xb9cbd6)}, Pen::Align::right);
}

double draw_identity(Pen& pen, const Results& r, double y) {
  const auto& d = r.head();
  std::string sides, from;
  for (const auto& s : r.sides) {
    sides += (sides.empty() ? "" : " and ") + (s.side.empty() ? std::string("not stated") : s.side);
    from = s.side_from;
  }
  if (!from.empty()) sides += " (" + from + ")";
  struct Cell {
    const char* label;
    std::string value;
  };
  const Cell cells[2][4] = {{{"PATIENT", or_dash(name_text(r.subject.name))},
                             {"PATIENT ID", or_dash(r.subject.id)},
                             {"SEX, AGE", age_text(r.subject)},
                             {"BIRTH DATE", or_dash(date_text(r.subject.birth_date))}},
                            {{"SERIES", or_dash(r.sides[0].series.description)},
                             {"ACCESSION", or_dash(d.text("AccessionNumber"))},
                             {"SIDE", sides},
                             {"STUDY DATE", or_dash(date_text(d.text("StudyDate")))}}};
  const double columns[] = {0, 150, 290, 430};
  for (int row = 0; row < 2; ++row, y += 29)
    for (int k = 0; k < 4; ++k) {
      const double x = margin + columns[k], room = (k < 3 ? columns[k + 1] : inner) - columns[k] - 10;
      pen.text(x, y, cells[row][k].label, {6.5, true, grey}, Pen::Align::left, room);
      pen.fitted(x, y + 13, room, cells[row][k].value, {10, false, ink}, 6.5);
    }
  if (!r.subject.added.empty()) {
    std::string what;
    for (const auto& a : r.subject.added)
      what += (what.empty() ? "" : ", ") + std::string(a == "PatientSex"   ? "sex"
                                                       : a == "PatientAge" ? "age"
                                                                           : "birth date");
    pen.text(margin, y - 6, fmt::format("{} taken from series '{}' of the same study", what, r.subject.added_from),
             {7, false, grey}, Pen::Align::left, inner);
    y += 6;
  }
  return y - 2;
}

double section(Pen& pen, double y, const std::string& title, const std::string& aside = {}) {
  pen.text(margin, y, title, {11.5, true, night});
  if (!aside.empty()) pen.text(page_width - margin, y, aside, {7.5, false, grey}, Pen::Align::right, inner - 190);
  pen.line(margin, y + 5, page_width - margin, y + 5, rule);
  return y + 13;
}

const Change* change_of(const Results& r, const Side& s, const Volume& v) {
  for (const auto& c : r.changes)
    if (c.side == s.side && c.structure == v.structure) return &c;
  return nullptr;
}

// Volumes of one side: rows with a swatch, numbers in columns, and a bar of the two parts.
double draw_volumes(Pen& pen, const Results& r, const Side& s, double y) {
  const bool percentile =
      std::any_of(s.volumes.begin(), s.volumes.end(), [](const Volume& v) { return v.percentile.has_value(); });
  const bool change =
      std::any_of(s.volumes.begin(), s.volumes.end(), [&](const Volume& v) { return change_of(r, s, v) != nullptr; });
  const double mL = margin + 205, mm3 = margin + 275, fourth = margin + 350, fifth = page_width - margin;
  const Font label{6.5, true, grey};
  pen.text(mL, y, "mL", label, Pen::Align::right);
  pen.text(mm3, y, "mm³", label, Pen::Align::right);
  if (percentile) pen.text(fourth, y, "PERCENTILE", label, Pen::Align::right);
  if (change) pen.text(fifth, y, "CHANGE", label, Pen::Align::right);
  const double most = std::max(s.volume("total").mm3, 1e-9);
  const bool bars = !percentile && !change;
  for (const auto& v : s.volumes) {
    y += 15;
    const bool total = v.structure == "total";
    if (total) pen.line(margin, y - 11, mm3, y - 11, rule);
    for (const auto& structure : structures())
      if (v.structure == structure.name)
        pen.box(margin, y - 7, 8, 8, {structure.rgb[0] / 255.0, structure.rgb[1] / 255.0, structure.rgb[2] / 255.0, 1},
                2);
    const Font font{10, total, ink};
    pen.text(margin + 15, y,
             v.structure == "anterior"    ? "Anterior (head)"
             : v.structure == "posterior" ? "Posterior (body and tail)"
                                          : "Total",
             font);
    pen.text(mL, y, fmt::format("{:.3f}", v.mL()), font, Pen::Align::right);
    pen.text(mm3, y, fmt::format("{:.0f}", v.mm3), font, Pen::Align::right);
    if (v.percentile) pen.text(fourth, y, fmt::format("{:.0f}", *v.percentile), font, Pen::Align::right);
    if (const auto* c = change_of(r, s, v))
      pen.text(fifth, y, fmt::format("{:+.1f} % since {}", c->percent, date_text(c->earlier_date)), {8.5, total, ink},
               Pen::Align::right, 150);
    if (bars && !total) {
      const double x = mm3 + 22, room = page_width - margin - x;
      pen.box(x, y - 7, room, 8, pale, 2);
      for (const auto& structure : structures())
        if (v.structure == structure.name && v.mm3 > 0)
          pen.box(x, y - 7, std::max(4.0, room * v.mm3 / most), 8,
                  {structure.rgb[0] / 255.0, structure.rgb[1] / 255.0, structure.rgb[2] / 255.0, 0.85}, 2);
    }
    if (bars && total)
      pen.text(page_width - margin, y, "bars: share of the total", {7, false, grey}, Pen::Align::right);
  }
  return y + 8;
}

// What the checks measured, in one line.
std::string quality_text(const Side& s, bool which) {
  const Quality q = quality_of(s);
  if (q.pieces == 0) return {};
  auto text =
      fmt::format("{}{} piece{}, {} voxel{} at the edge, surface {:.1f} times that of a ball, {:.0f} % anterior",
                  which ? s.side + ": " : "Measured: ", q.pieces, q.pieces == 1 ? "" : "s", q.at_edge,
                  q.at_edge == 1 ? "" : "s", q.surface, 100 * q.anterior);
  if (q.contrast) text += fmt::format(", contrast {:.2f}", *q.contrast);
  if (q.uncertainty) text += fmt::format(", mean uncertainty {:.2f}", *q.uncertainty);
  return text;
}

double draw_notes(Pen& pen, const Results& r, double y, double bottom) {
  std::vector<std::pair<Note, std::string>> notes;
  for (const auto& s : r.sides)
    for (const auto& n : s.notes) notes.emplace_back(n, r.sides.size() > 1 && !s.side.empty() ? s.side + ": " : "");
  for (const auto& n : r.notes) notes.emplace_back(n, "");
  std::stable_sort(notes.begin(), notes.end(),
                   [](const auto& a, const auto& b) { return a.first.serious > b.first.serious; });
  y = section(pen, y, "Quality", r.serious() ? "look at the segmentation before these numbers are used" : "");
  for (const auto& s : r.sides) {
    pen.text(margin, y + 4, quality_text(s, r.sides.size() > 1), {7.5, false, grey}, Pen::Align::left, inner);
    y += 12;
  }
  y += 2;
  if (notes.empty()) {
    pen.dot(margin + 4, y + 2, 3.5, green);
    pen.text(margin + 14, y + 5,
             "No check failed: one piece, inside the picture, plausible size, intensity and contrast.",
             {8.5, false, ink}, Pen::Align::left, inner - 14);
    return y + 16;
  }
  std::size_t shown = 0;
  for (const auto& [n, prefix] : notes) {
    if (y + 20 > bottom) break;
    pen.dot(margin + 4, y + 2, 3.5, n.serious ? red : amber);
    y = pen.paragraph(margin + 14, y + 5, inner - 14, prefix + n.what, {8.5, false, ink}, 10.5, 2) - 1;
    ++shown;
  }
  if (shown < notes.size())
    pen.text(margin + 14, y + 5, fmt::format("and {} more in results.json", notes.size() - shown), {8, false, grey}),
        y += 12;
  return y + 6;
}

void draw_foot(Pen& pen, const Results& r) {
  double y = page_height - 66;
  pen.line(margin, y, page_width - margin, y, rule);
  const Font font{7, false, grey};
  y += 11;
  pen.text(margin, y, "Segmentation: " + r.sides[0].segmenter, font, Pen::Align::left, inner * 0.62);
  pen.text(page_width - margin, y,
           fmt::format("larmor {}, {} {}", LARMOR_VERSION, date_text(r.made_date), time_text(r.made_time)), font,
           Pen::Align::right);
  y += 10;
  pen.text(margin, y, "Study " + r.head().text("StudyInstanceUID"), font, Pen::Align::left, inner);
  y += 10;
  pen.paragraph(margin, y, inner,
                "Planes are seen from the feet and from the front: the patient's right is on the left of the picture, "
                "as the letters say. Volumes are voxel counts times voxel volume. "
                "Made by a program for research; not a medical device. Compare with the images before any use.",
                font, 9.5, 3);
}

void draw_page(cairo_t* cr, const Results& r) {
  Pen pen(cr);
  pen.box(0, 0, page_width, page_height, colour(0xffffff));
  draw_head(pen, r);
  double y = draw_identity(pen, r, 84);
  const bool two = r.sides.size() > 1;
  for (const auto& s : r.sides) {
    const auto mm = s.image.affine.spacing();
    const auto n = s.image.grid();
    y = section(
        pen, y + 15, side_title(s),
        fmt::format("{} x {} x {} voxels of {:.4g} x {:.4g} x {:.4g} mm", n[0], n[1], n[2], mm[0], mm[1], mm[2]));
    const double tall = two ? 150 : 216;
    draw_planes(pen, s, margin, y, inner, tall);
    y = draw_volumes(pen, r, s, y + tall + 16);
  }
  if (!r.asymmetry.empty()) {
    std::string text = "Asymmetry, 200 (left − right) / (left + right):";
    for (const auto& a : r.asymmetry) text += fmt::format("   {} {:+.1f} %", a.structure, a.percent);
    pen.box(margin, y, inner, 19, pale, 3);
    pen.text(margin + 8, y + 13, text, {9, false, ink}, Pen::Align::left, inner - 16);
    y += 24;
  }
  if (!r.norms.empty()) {
    std::string text = "Norms: " + r.norms;
    std::set<std::string> reasons;
    for (const auto& s : r.sides)
      if (const auto& why = s.volume("total").no_percentile; !why.empty() && reasons.insert(why).second)
        text += ". No percentile: " + why;
    y = pen.paragraph(margin, y + 6, inner, text, {7.5, false, grey}, 9.5, 2) - 3;
  }
  draw_notes(pen, r, y + 14, page_height - 76);
  draw_foot(pen, r);
}

cairo_status_t append(void* to, const unsigned char* data, unsigned n) {
  auto& bytes = *static_cast<std::vector<std::byte>*>(to);
  const auto* p = reinterpret_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), p, p + n);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::vector<std::byte> report_pdf(const Results& r) {
  std::vector<std::byte> bytes;
  cairo_surface_t* surface = cairo_pdf_surface_create_for_stream(append, &bytes, page_width, page_height);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, "Hippocampal volumetry");
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, "Research use only, not for diagnosis");
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "larmor " LARMOR_VERSION);
  cairo_t* cr = cairo_create(surface);
  draw_page(cr, r);
  const auto status = cairo_status(cr);
  cairo_destroy(cr);
  cairo_surface_finish(surface);
  cairo_surface_destroy(surface);
  if (status != CAIRO_STATUS_SUCCESS)
    throw Error(Errc::internal, fmt::format("the report cannot be drawn: {}", cairo_status_to_string(status)));
  return bytes;
}

io::Picture report_picture(const Results& r, double dots_per_inch) {
  const double scale = dots_per_inch / 72;
  io::Picture out{
      static_cast<int>(std::lround(page_width * scale)), static_cast<int>(std::lround(page_height * scale)), 3, {}};
  cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, out.width, out.height);
  cairo_t* cr = cairo_create(surface);
  cairo_scale(cr, scale, scale);
  draw_page(cr, r);
  const auto status = cairo_status(cr);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
  const unsigned char* rows = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  out.pixels.resize(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height) * 3);
  auto* to = out.pixels.data();
  for (int y = 0; y < out.height; ++y) {
    const unsigned char* row = rows + static_cast<std::ptrdiff_t>(y) * stride;
    for (int x = 0; x < out.width; ++x) {
      std::uint32_t pixel;
      std::memcpy(&pixel, row + static_cast<std::ptrdiff_t>(x) * 4, 4);
      *to++ = static_cast<std::uint8_t>(pixel >> 16), *to++ = static_cast<std::uint8_t>(pixel >> 8),
      *to++ = static_cast<std::uint8_t>(pixel);
    }
  }
  cairo_surface_destroy(surface);
  if (status != CAIRO_STATUS_SUCCESS)
    throw Error(Errc::internal, fmt::format("the report cannot be drawn: {}", cairo_status_to_string(status)));
  return out;
}

}  // namespace larmor::clinic
