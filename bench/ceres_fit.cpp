// SPDX-License-Identifier: Apache-2.0
#include "ceres_fit.hpp"

#include <ceres/ceres.h>
#include <sys/resource.h>

#include <algorithm>

namespace {

class CurveCost : public ceres::CostFunction {
 public:
  CurveCost(const larmor::dce::FitSetup& s, const std::vector<double>& y)
      : setup_(s), y_(y), model_(y.size()), jacobian_(y.size() * s.params.size()) {
    set_num_residuals(static_cast<int>(y.size()));
    mutable_parameter_block_sizes()->push_back(static_cast<int>(s.params.size()));
  }
  bool Evaluate(double const* const* p, double* residuals, double** jacobians) const override {
    const bool wanted = jacobians && jacobians[0];
    setup_.kernels->baseline()->curve[0](setup_.grid->view(), 0.0, p[0], model_.data(),
                                         wanted ? jacobians[0] : nullptr);
    for (std::size_t i = 0; i < y_.size(); ++i) residuals[i] = model_[i] - y_[i];
    return true;
  }

 private:
  const larmor::dce::FitSetup& setup_;
  const std::vector<double>& y_;
  mutable std::vector<double> model_, jacobian_;
};

double processor_seconds() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec) + 1e-6 * static_cast<double>(u.ru_utime.tv_usec);
}

}  // namespace

double ceres_fit(const larmor::dce::FitSetup& setup, const std::vector<std::vector<double>>& y,
                 std::vector<std::vector<double>>& params, std::vector<double>& sse) {
  const double begin = processor_seconds();
  params.assign(y.size(), {}), sse.assign(y.size(), 0.0);
  for (std::size_t v = 0; v < y.size(); ++v) {
    for (const auto& q : setup.params) params[v].push_back(q.start);
    ceres::Problem problem;
    problem.AddResidualBlock(new CurveCost(setup, y[v]), nullptr, params[v].data());
    for (std::size_t i = 0; i < setup.params.size(); ++i) {
      problem.SetParameterLowerBound(params[v].data(), static_cast<int>(i), setup.params[i].lower);
      problem.SetParameterUpperBound(params[v].data(), static_cast<int>(i), setup.params[i].upper);
    }
    ceres::Solver::Options options;
    options.linear_solver_type = ceres::DENSE_QR;
    options.max_num_iterations = 50, options.num_threads = 1, options.logging_type = ceres::SILENT;
    options.function_tolerance = 1e-10, options.parameter_tolerance = 1e-8;
    ceres::Solver::Summary summary;
    ceres::Solve(options, &problem, &summary);
    sse[v] = 2 * summary.final_cost;
  }
  return processor_seconds() - begin;
}
