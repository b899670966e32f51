// A handle's images: the list, with thumbnails where they are wanted.

import "./handle_images.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { HandleImagePicture, HandleImageRow, HandleImagesStatus } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import { fallbackOf, HandleList } from "../shared/handle_list/view.tsx";
import { useRedrawSoon, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { isOfTheWeb } from "../shared/reach.ts";
import { useWayTo } from "../shared/ui/address.tsx";
import { Pictures } from "./pictures.ts";

const nameOf = (row: HandleImageRow) => row.note || "(untitled)";

function HandleImages({ kernel }: ViewProps) {
  const status = useTrait<HandleImagesStatus>(kernel, "status");
  const soon = useRedrawSoon();
  const pictures = useMemo(() => new Pictures(kernel, soon), [kernel, soon]);
  useEffect(() => pictures.expect(status.version), [pictures, status.version]);
  const [wanted, setWanted] = useState(status.pictures);
  return (
    <HandleList<HandleImageRow>
      kernel={kernel}
      status={status}
      noun="image"
      nameOf={nameOf}
      textOf={(row) => `${row.note} ${row.url}`}
      placeholder="Search titles, addresses and ids"
      openedText={(what) => (what === "form" ? "The form is open below the list." : "The sky is open below the list.")}
      before={wanted ? (row) => <Thumbnail picture={pictures.of(row.id)} /> : undefined}
      onSight={wanted ? (ids) => pictures.want(ids) : undefined}
      options={
        <label title="The kernel reads the record of each image in view, and your browser loads its thumbnail from the server named there; these servers can log the request.">
          <input type="checkbox" checked={wanted} onChange={(event) => setWanted(event.currentTarget.checked)} /> Load
          thumbnails from the web
        </label>
      }
      controls={(row, { button, link }) => (
        <>
          {button("form", "Edit")}
          {button("sky", "Show on the sky", "Sky", row.url ? "" : "The record has no image address")}
          <span class="cxw-links">
            {link(row.record, "Record", "record")} {link(row.wtml, "WTML", "wtml")}
          </span>
        </>
      )}
    />
  );
}

function Thumbnail({ picture }: { picture: HandleImagePicture | null }) {
  const [broken, setBroken] = useState("");
  const thumbnail = useWayTo(picture?.thumbnail ?? "") ?? "";
  if (!picture) return <span class="cxw-image-picture cxw-quiet">…</span>;
  const { alt } = picture;
  if (!isOfTheWeb(thumbnail) || broken === thumbnail)
    return <span class="cxw-image-picture cxw-quiet">no thumbnail</span>;
  return (
    <span class="cxw-image-picture">
      <img
        src={thumbnail}
        alt={isolated(alt)}
        width={96}
        height={45}
        referrerPolicy="no-referrer"
        onError={() => setBroken(thumbnail)}
      />
    </span>
  );
}

export default widgetOf(HandleImages, ({ kernel }) => fallbackOf(kernel.trait<HandleImagesStatus>("status"), "image"));
