// SPDX-License-Identifier: Apache-2.0
export function values(): Record<string, unknown>;
