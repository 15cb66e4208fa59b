// SPDX-License-Identifier: Apache-2.0
import type { Browser } from "playwright-core";
export const chromiumPath: string;
export const hasChromium: boolean;
export function launch(): Promise<Browser>;
