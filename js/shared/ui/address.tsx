// An address as a link, if it leads to the web; what else a server may have written is only text.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isOfTheWeb, isOnKernelHost, outOfReach, wayTo } from "../reach.ts";

interface AddressProps {
  url: string;
  children: ComponentChildren;
  class?: string;
  tabIndex?: number;
  "aria-label"?: string;
  "data-control"?: string;
  "data-focus"?: boolean;
}

/** What leads to an address from this page; null if nothing does, undefined as long as that is not known. */
export function useWayTo(url: string): string | null | undefined {
  const isLocal = isOnKernelHost(url);
  const [known, setKnown] = useState<{ url: string; way: string | null }>();
  useEffect(() => {
    let wanted = isLocal;
    if (wanted) void wayTo(url).then((way) => wanted && setKnown({ url, way }));
    return () => {
      wanted = false;
    };
  }, [url, isLocal]);
  if (!isLocal) return url;
  return known?.url === url ? known.way : undefined;
}

/** A link. An address of the kernel's machine goes through the Jupyter server; if that has no proxy, it is named instead. */
export function Address({ url, children, ...attributes }: AddressProps) {
  const way = useWayTo(url);
  if (!isOfTheWeb(url)) return <span>{children}</span>;
  if (way === null)
    return (
      <span title={url}>
        {children} <span class="cxw-quiet">(out of reach of this browser)</span>
      </span>
    );
  // It can have the focus before the way is known.
  const waiting = way === undefined ? ({ role: "link", "aria-disabled": true, tabIndex: 0 } as const) : {};
  return (
    <a href={way} target="_blank" rel="noopener noreferrer" {...waiting} {...attributes}>
      {children}
    </a>
  );
}

/** Why the links to an address lead nowhere, and what helps; nothing if they do. */
export function OutOfReach({ url }: { url: string }) {
  if (useWayTo(url) !== null) return null;
  return (
    <p class="cxw-notice" role="status">
      <bdi>{outOfReach(url)}</bdi> Or open the address there: <bdi>{url}</bdi>
    </p>
  );
}
