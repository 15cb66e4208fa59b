// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image_stack.hpp>

namespace larmor::nodes {

void register_operations(flow::NodeTypes& types);  // generated

void add_types(flow::Types& types) {
  types.add("image", {.title = "Image",
                      .what = "array on a grid in space: affine, times, header facts",
                      .parent = "array",
                      .colour = "#009E73",
                      .viewers = {"image", "volume", "curves", "table"},
                      .slice = slice_image,
                      .stack = stack_images});
  types.add("curve", {.title = "Curve",
                      .what = "values against time or another axis",
                      .parent = "record",
                      .colour = "#56B4E9",
                      .viewers = {"curves", "table"}});
  types.add("maps", {.title = "Parameter maps",
                     .what = "fitted quantities with standard errors and a status",
                     .parent = "record",
                     .colour = "#1b7f5c",
                     .viewers = {"maps", "volume"}});
  types.add("table", {.title = "Table",
                      .what = "named columns",
                      .parent = "record",
                      .colour = "#a0793d",
                      .viewers = {"table", "text"}});
  types.add("picture", {.title = "Picture",
                        .what = "8-bit colour picture",
                        .parent = "record",
                        .colour = "#b85c8a",
                        .viewers = {"picture"}});
  types.add("trajectory", {.title = "Trajectory",
                           .what = "where k-space was sampled [cycles/FOV]",
                           .parent = "record",
                           .colour = "#D55E00",
                           .viewers = {"trajectory", "curves"}});
  types.add("waveforms", {.title = "Waveforms",
                          .what = "gradients of the arms of a trajectory [T/m]",
                          .parent = "record",
                          .colour = "#c44e52",
                          .viewers = {"table", "text"}});
  types.add("sequence", {.title = "Sequence",
                         .what = "pulse sequence: blocks of gradients, pulses and sampling",
                         .parent = "record",
                         .colour = "#937860",
                         .viewers = {"table", "text"}});
  types.add("spins", {.title = "Spins",
                      .what = "places, offsets and relaxation times of isochromats",
                      .parent = "record",
                      .colour = "#E69F00",
                      .viewers = {"text"}});
  types.add("scene", {.title = "Scene",
                      .what = "points, lines, spheres and arrows in space",
                      .parent = "record",
                      .colour = "#8c6bb1",
                      .viewers = {"scene"}});
  types.add("dicom_series", {.title = "DICOM series",
                             .what = "files of one series, the person and the side",
                             .parent = "record",
                             .colour = "#3d7ea0",
                             .viewers = {"text"}});
  types.add("segmentation", {.title = "Segmentation",
                             .what = "labels, probabilities and what to look at",
                             .parent = "record",
                             .colour = "#c2703d",
                             .viewers = {"text"}});
  types.add("hippocampus", {.title = "Hippocampus",
                            .what = "one side with its volumes",
                            .parent = "record",
                            .colour = "#b8862b",
                            .viewers = {"text"}});
  types.add("report", {.title = "Report",
                       .what = "a page to read",
                       .parent = "record",
                       .colour = "#5b6b7a",
                       .viewers = {"report", "text"}});
}

flow::NodeTypes make_operations() {
  flow::NodeTypes types;
  add_types(types.types);
  register_operations(types);
  return types;
}

const flow::NodeTypes& operations() {
  static const flow::NodeTypes types = make_operations();
  return types;
}

}  // namespace larmor::nodes
