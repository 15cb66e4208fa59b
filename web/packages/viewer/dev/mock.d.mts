// SPDX-License-Identifier: Apache-2.0
import type { Server } from "node:http";
export function serve(port?: number, pages?: string): Promise<{ server: Server; requests: string[]; port: number }>;
