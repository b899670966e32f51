// A kernel link for unit tests, whose requests are answered by hand.

import type { KernelLink } from "../shared/kernel_link.ts";

export interface Asked {
  kind: string;
  content: Record<string, unknown>;
  size: number;
  answer(content?: Record<string, unknown>): void;
  refuse(): void;
}

export function fakeLink(): { kernel: KernelLink; asked: Asked[] } {
  const asked: Asked[] = [];
  const request = (kind: string, content: Record<string, unknown>, buffers: ArrayBuffer[] = []) =>
    new Promise((resolve, reject) => {
      const answer = (said = {}) => resolve({ content: said, buffers: [new Uint8Array([1])] });
      asked.push({ kind, content, size: buffers[0]?.byteLength ?? 0, answer, refuse: () => reject(new Error("no")) });
    });
  return { kernel: { request } as unknown as KernelLink, asked };
}
