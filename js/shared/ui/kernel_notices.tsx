// Notices on the state of the kernel: the same words in every widget.

import type { KernelLink } from "../kernel_link.ts";
import { useGone } from "../mount.tsx";

interface KernelGoneProps {
  kernel: KernelLink;
  /** What running the cell again does. */
  again?: string;
  /** Whether text can be typed here, which is lost. */
  loses?: boolean;
}

/** Says that the kernel's half of this widget is gone: nothing that is typed or pressed here has an effect. */
export function KernelGone({ kernel, again = "to restore your edits", loses = true }: KernelGoneProps) {
  if (!useGone(kernel)) return null;
  return (
    <div class="cxw-notice cxw-gone" role="alert">
      The kernel was restarted or shut down. Run the cell again {again}.
      {loses && " Changes you make here now are lost."}
    </div>
  );
}

/** Says that the kernel has not responded for a while. */
export function KernelSilent({ silent, children }: { silent: boolean; children?: string }) {
  if (!silent) return null;
  return (
    <div class="cxw-notice" role="alert">
      The kernel is not responding. It may be busy with another cell; if it was restarted, run the cell again{children}.
    </div>
  );
}
