// An address as a link, if it leads to the web; what else a server may have written is only text.

import type { ComponentChildren } from "preact";

interface AddressProps {
  url: string;
  children: ComponentChildren;
  class?: string;
  tabIndex?: number;
  "aria-label"?: string;
  "data-control"?: string;
  "data-focus"?: boolean;
}

export const isOfTheWeb = (url: string) => /^https?:\/\//i.test(url);

export function Address({ url, children, ...attributes }: AddressProps) {
  if (!isOfTheWeb(url)) return <span>{children}</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" {...attributes}>
      {children}
    </a>
  );
}
