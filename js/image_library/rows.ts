// The rows of the library that the page has: a window of them, requested when it moves.

import { useEffect, useRef, useState } from "preact/hooks";
import type { LibraryRowsResponse } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import type { Query, Row } from "./state.ts";

/** Rows are requested in steps of so many, so that not every scroll event makes a request. */
const STEP = 60;

interface Window {
  start: number;
  rows: Row[];
  count: number | null;
}

export interface Rows {
  /** The row at a place, undefined while it is on its way. */
  at(index: number): Row | undefined;
  /** How many images match; null while that is not known. */
  count: number | null;
}

/** The rows from `first` to before `last`, of the library's state `revision`. */
export function useRows(
  kernel: KernelLink,
  { search, order }: Query,
  revision: number,
  first: number,
  last: number,
): Rows {
  const start = Math.max(0, Math.floor(first / STEP) * STEP);
  const end = Math.ceil(Math.max(last, 1) / STEP) * STEP;
  const [shown, setShown] = useState<Window>({ start: 0, rows: [], count: null });
  const asked = useRef(0);
  useEffect(() => {
    const turn = ++asked.current;
    kernel.request<LibraryRowsResponse>("rows", { start, end, search, order }).then(
      ({ content }) => {
        if (turn !== asked.current) return;
        const rows = content.rows.map(([id, name]) => ({ id, name }));
        setShown({ start, rows, count: content.count });
      },
      () => {}, // closed, or the kernel is late: the view reports that
    );
  }, [kernel, search, order, revision, start, end]);
  // Until an answer comes, what was there stays: each row carries its own id.
  return { at: (index) => shown.rows[index - shown.start], count: shown.count };
}
