// What was published from the same file before, whatever its address: shown at the top, before anything is typed.

import type { EarlierPublicationState } from "../protocol.ts";
import { useTrait, type ViewProps } from "../shared/mount.tsx";
import { Address } from "../shared/ui/address.tsx";

const SHOWN = 3;

export function PublishedBefore({ kernel }: ViewProps) {
  const all = useTrait<EarlierPublicationState[]>(kernel, "published_before");
  if (all.length === 0) return null;
  const more = all.length - SHOWN;
  return (
    <div class="cxw-notice cxw-published-before" role="status">
      {all.slice(0, SHOWN).map(({ key, head, name, url, tail }) => (
        <div key={key}>
          <bdi>{head}</bdi>{" "}
          <Address url={url}>
            <bdi>{name}</bdi>
          </Address>
          <bdi>{tail}</bdi>
        </div>
      ))}
      {more > 0 && <div>{`And ${more} ${more === 1 ? "time" : "times"} before that.`}</div>}
    </div>
  );
}
