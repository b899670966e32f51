// Upload the files of all chosen images that have no web address yet.

import type { HostingState } from "../protocol.ts";
import { Uploader } from "../shared/hosting.tsx";
import { type DraftViewProps, useTrait } from "../shared/mount.tsx";
import { images } from "./status.ts";

export function Uploads({ draft }: DraftViewProps) {
  const hosting = useTrait<HostingState>(draft.kernel, "hosting");
  const finished = hosting.phase === "done" || hosting.phase === "failed";
  if (hosting.blocked && hosting.phase !== "uploading")
    return finished ? (
      <p role="status">
        <bdi>{hosting.message}</bdi>
      </p>
    ) : null;
  return (
    <details>
      <summary>Upload files of {images(hosting.images ?? 0)}…</summary>
      <p class="cxw-quiet">Each image gets a folder of its own below the one that you name.</p>
      <Uploader draft={draft} batch />
    </details>
  );
}
