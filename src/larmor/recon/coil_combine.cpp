// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/coil_combine.hpp>

namespace larmor::recon {

Array root_sum_of_squares(const Array& images, int coil_axis, const Cancel* cancel) {
  return nd::reduce(nd::Reduction::norm, images, std::span(&coil_axis, 1), {.cancel = cancel});
}

Array combine(const Array& images, const Array& sensitivities, const std::string& coil_axis, const Cancel* cancel) {
  if (images.dtype() != DType::c64 && images.dtype() != DType::c128)
    throw Error(Errc::type, "images of coils are complex and these are " + images.describe(),
                "combine magnitudes with the root of the sum of squares");
  const int of_sensitivities = sensitivities.axis(coil_axis);
  const Array products =
      nd::apply(nd::Binary::multiply, images, nd::apply(nd::Unary::conjugate, sensitivities, cancel), cancel);
  const int of_products = products.axis(coil_axis);
  const Array sum = nd::reduce(nd::Reduction::sum, products, std::span(&of_products, 1), {.cancel = cancel});
  const Array norm =
      nd::reduce(nd::Reduction::norm, sensitivities, std::span(&of_sensitivities, 1), {.cancel = cancel});
  const Array weight = nd::apply(nd::Unary::square, norm, cancel);
  const Array zero(DType::f32, {});
  return nd::where(weight, nd::apply(nd::Binary::divide, sum, weight, cancel), zero, cancel);
}

}  // namespace larmor::recon
