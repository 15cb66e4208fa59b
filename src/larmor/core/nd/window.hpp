// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Windows as even functions of the distance from the centre.
namespace larmor::nd {

enum class Window : std::uint8_t {
  rectangle,
  triangle,
  hann,
  hamming,
  blackman,
  cosine,
  tukey,
  gaussian,
  kaiser,
  fermi
};
struct WindowInfo {
  Window window;
  const char *name, *what;
  const char* parameter;  // what `parameter` means; empty: none
  double usual;           // value of it
};
std::span<const WindowInfo> windows();
/// Errors   Errc::unknown_name
const WindowInfo& window_called(const std::string& name);

/// Weight at distance u = |r| / radius from the centre, 1 at 0. All are 0 beyond u = 1 except gaussian and fermi.
///
///   triangle  1 - u           hann  (1 + cos pi u) / 2     hamming  0.54 + 0.46 cos pi u
///   blackman  0.42 + 0.5 cos pi u + 0.08 cos 2 pi u        cosine   cos(pi u / 2)
///   tukey     1 up to 1 - p, then half a cosine down (p in 0..1)
///   gaussian  exp(-u^2 / (2 p^2))
///   kaiser    I0(p sqrt(1 - u^2)) / I0(p)
///   fermi     1 / (1 + exp((u - 1) / p)), scaled to 1 at 0
///
/// Source   Harris, Proc. IEEE 66:51 (1978); Fermi: Bernstein, King and Zhou, Handbook of MRI Pulse Sequences (2004)
double window_at(Window window, double u, double parameter);

/// Weights of n places, the centre at floor(n / 2) (where centred k-space has k = 0), u = 1 at n / 2 x radius.
/// Errors   Errc::range unless radius > 0, and for a parameter <= 0 (tukey: outside 0..1)
std::vector<double> window_weights(Window window, std::int64_t n, double parameter, double radius = 1);

}  // namespace larmor::nd
