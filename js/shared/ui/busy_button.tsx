// A button that keeps the focus while it can't be pressed for a moment: a disabled one would lose it.

import type { ButtonHTMLAttributes } from "preact";

interface BusyButtonProps extends ButtonHTMLAttributes {
  busy: boolean;
  onClick: () => void;
}

export function BusyButton({ busy, onClick, ...rest }: BusyButtonProps) {
  return <button type="button" aria-disabled={busy} onClick={() => busy || onClick()} {...rest} />;
}
