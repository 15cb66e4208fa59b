// SPDX-License-Identifier: Apache-2.0

/** Colours of curves, apart from each other in light and dark themes. */
export const lineColours = ["#2f81f7", "#e8590c", "#2b9348", "#c026d3", "#c99700", "#0ea5b7", "#d6336c", "#7c5cff", "#7d8590", "#a0622d"];
