// SPDX-License-Identifier: Apache-2.0
#include "seg_teacher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/hash.hpp>
#include <larmor/core/parallel.hpp>
#include <sstream>

namespace larmor::cli {
namespace {

using Size = std::array<int, 3>;

std::string mark_of(const nn::TrainSample& s) {
  return Sha256().add(s.image.data(), s.image.size() * sizeof(float)).hex().substr(0, 12);
}

struct Teacher {
  nn::UNet net;
  std::set<std::string> seen;
  std::vector<std::array<bool, 3>> flips;
};

Teacher read_teacher(const std::filesystem::path& file, const std::vector<nn::TrainSample>& held_out) {
  const auto weights = nn::read_weights(file);
  const auto text = [&](const char* key) {
    const auto it = weights.meta.find(key);
    return it == weights.meta.end() ? std::string() : it->second;
  };
  if (weights.meta.count("members") > 0)
    throw Error(Errc::usage, "a teacher is an ensemble, which does not say what each of its networks saw",
                "give the files of its networks");
  Teacher out{nn::UNet(weights), {}, {}};
  std::stringstream marks(text("seen"));
  for (std::string mark; std::getline(marks, mark, ',');) out.seen.insert(mark);
  if (out.seen.empty())
    throw Error(Errc::usage, "a teacher does not say which images it saw", "train it with this version of Larmor");
  const auto known =
      std::count_if(held_out.begin(), held_out.end(), [&](const auto& s) { return out.seen.count(mark_of(s)) > 0; });
  if (known > 0)
    throw Error(Errc::usage,
                fmt::format("a teacher (fold {}) saw {} of the {} images that are held out", text("fold"), known,
                            held_out.size()),
                "give networks for which the same fold was held out");
  const std::string mirror = text("mirror") + ",,,,,";  // "1,0,0"
  for (std::size_t which = 0; which < 8; ++which) {
    const std::array<bool, 3> flip{(which & 1) != 0, (which & 2) != 0, (which & 4) != 0};
    bool wanted = true;
    for (std::size_t a = 0; a < 3; ++a) wanted = wanted && (!flip[a] || mirror[2 * a] == '1');
    if (wanted) out.flips.push_back(flip);
  }
  return out;
}

/// Adds the probabilities (class from 1, voxel), edges repeated up to what the network takes.
void add(const Teacher& teacher, const nn::TrainSample& s, std::vector<float>& sum, const Cancel* cancel) {
  const auto multiple = teacher.net.spec().multiple();
  Size size{}, before{};
  for (std::size_t a = 0; a < 3; ++a) {
    size[a] = (s.size[a] + multiple[a] - 1) / multiple[a] * multiple[a];
    before[a] = (size[a] - s.size[a]) / 2;
  }
  const auto n = s.image.size(), n_padded = static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]) *
                                            static_cast<std::size_t>(size[2]);
  const auto classes = static_cast<std::size_t>(teacher.net.spec().classes);
  std::vector<float> padded(n_padded);
  for (const auto& flip : teacher.flips) {
    // The voxel of the image under each voxel of what the network sees.
    const auto under = [&](int i, std::size_t a) {
      return std::clamp((flip[a] ? size[a] - 1 - i : i) - before[a], 0, s.size[a] - 1);
    };
    const auto row = [&](int y, int z) { return static_cast<std::size_t>((z * s.size[1] + y) * s.size[0]); };
    std::size_t to = 0;
    for (int z = 0; z < size[2]; ++z)
      for (int y = 0; y < size[1]; ++y)
        for (int x = 0; x < size[0]; ++x)
          padded[to++] = s.image[row(under(y, 1), under(z, 2)) + static_cast<std::size_t>(under(x, 0))];
    auto p = teacher.net(padded, size, cancel);
    nn::softmax(p, static_cast<int>(classes));
    const auto over = [&](int i, std::size_t a) { return flip[a] ? size[a] - 1 - i - before[a] : i + before[a]; };
    for (int z = 0; z < s.size[2]; ++z)
      for (int y = 0; y < s.size[1]; ++y)
        for (int x = 0; x < s.size[0]; ++x) {
          const auto from = static_cast<std::size_t>((over(z, 2) * size[1] + over(y, 1)) * size[0] + over(x, 0));
          for (std::size_t c = 1; c < classes; ++c)
            sum[(c - 1) * n + row(y, z) + static_cast<std::size_t>(x)] += p[c * n_padded + from];
        }
  }
}

}  // namespace

std::set<std::string> marks_of(const std::vector<nn::TrainSample>& samples) {
  std::set<std::string> out;
  for (const auto& s : samples) out.insert(mark_of(s));
  return out;
}

std::set<std::string> teach(const std::vector<std::filesystem::path>& files, std::vector<nn::TrainSample>& training,
                            const std::vector<nn::TrainSample>& held_out, const Cancel* cancel) {
  std::vector<Teacher> teachers;
  std::set<std::string> seen;
  for (const auto& file : files) {
    try {
      teachers.push_back(read_teacher(file, held_out));
    } catch (Error& e) {
      throw e.at(file.string());
    }
    const int classes = teachers.back().net.spec().classes, first = teachers.front().net.spec().classes;
    if (classes != first)
      throw Error(Errc::usage, fmt::format("teachers of {} and of {} classes", first, classes),
                  "give networks of one configuration")
          .at(file.string());
    seen.insert(teachers.back().seen.begin(), teachers.back().seen.end());
  }
  parallel_for(
      training.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
          auto& s = training[i];
          const auto mark = mark_of(s);
          std::vector<const Teacher*> mine;
          for (const auto& t : teachers)
            if (t.seen.count(mark) == 0) mine.push_back(&t);
          if (mine.empty())
            for (const auto& t : teachers) mine.push_back(&t);
          s.teacher.assign(s.image.size() * static_cast<std::size_t>(teachers.front().net.spec().classes - 1), 0.0f);
          std::size_t passes = 0;
          for (const auto* t : mine) add(*t, s, s.teacher, cancel), passes += t->flips.size();
          for (auto& p : s.teacher) p /= static_cast<float>(passes);
        }
      },
      cancel);
  return seen;
}

}  // namespace larmor::cli
