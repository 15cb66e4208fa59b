// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

namespace larmor::recon {

/// Part of a centred k-space axis that was sampled: [begin, end) of n samples, k = 0 at index floor(n / 2).
struct Sampled {
  std::int64_t n = 0, begin = 0, end = 0;
  std::int64_t centre() const { return n / 2; }
  /// Samples that have a partner on the other side, on each side of k = 0.
  std::int64_t overlap() const;
};

/// Where samples of an axis given as [0, m) lie when k = 0 is its index `centre`: padded to the least symmetric size,
/// or to n when n > 0. Errors   Errc::range when `centre` is outside or n too small, with the least
Sampled place_samples(std::int64_t m, std::int64_t centre, std::int64_t n = 0);
/// Index of the sample plane of largest energy along an axis, where k = 0 lies in an echo.
std::int64_t find_centre(const Array& kspace, int axis);

/// Weights of homodyne detection along the axis, and of the symmetric part for the phase.
///
/// `detect`: 0 where nothing was sampled, 2 where only one side was, and in the overlap a smooth step from 0 to 2 with
/// detect(k) + detect(-k) = 2 (half a cosine); 1 everywhere when all was sampled.
/// `symmetric`: a Hann window over the overlap.
/// Errors   Errc::range when the overlap is under 2 samples a side: the phase is then not known
struct HomodyneWeights {
  std::vector<double> detect, symmetric;
};
HomodyneWeights homodyne_weights(const Sampled& sampled);

/// Image from partly sampled k-space: the real part of the detected image in the frame of a low-resolution phase.
///
///   phase = F^-1(symmetric k-space) / |.|,  image = Re(conj(phase) F^-1(detect x k-space)) phase
///
/// kspace   complex, of full size along `axis`, 0 where nothing was sampled; centred along all of `axes`
/// axes     axes to transform, `axis` among them (1 to 3)
/// result   complex with the low-resolution phase; the real image may be negative. Unitary
/// scaling Errors   Errc::type unless complex, Errc::shape when the sizes differ Source   Noll, Nishimura and Macovski,
/// IEEE Trans. Med. Imaging 10:154 (1991)
Array homodyne(const Array& kspace, int axis, std::span<const int> axes, const Sampled& sampled,
               const Cancel* cancel = nullptr);

}  // namespace larmor::recon
