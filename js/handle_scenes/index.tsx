// A handle's scenes: the list, with their counters and whether the site shows them.

import "./handle_scenes.css";
import type { HandleListStatus, HandleSceneRow } from "../protocol.ts";
import { fallbackOf, HandleList } from "../shared/handle_list/view.tsx";
import { useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { count } from "../shared/numbers.ts";

const COUNTERS = [
  ["impressions", "views"],
  ["likes", "likes"],
  ["clicks", "clicks"],
  ["shares", "shares"],
] as const;

const OPENED: Record<string, string> = {
  sky: "The scene is shown below the list.",
  new: "The form of a new scene is open below the list.",
};

function HandleScenes({ kernel }: ViewProps) {
  const status = useTrait<HandleListStatus>(kernel, "status");
  const isNewOpen = status.opened.what === "new" && status.opened.phase === "open";
  return (
    <HandleList<HandleSceneRow>
      kernel={kernel}
      status={status}
      noun="scene"
      nameOf={(row) => row.text || "(no text)"}
      textOf={(row) => `${row.text} ${row.published ? "published" : "unlisted"}`}
      placeholder="Search texts and ids, or “published”"
      openedText={(what) => OPENED[what] ?? "The scene and its form are open below the list."}
      actions={(open) => (
        <button type="button" aria-expanded={isNewOpen} onClick={() => open("new")}>
          {isNewOpen ? "Close new scene" : "New scene…"}
        </button>
      )}
      before={(row) => (
        <span class={`cxw-scene-state${row.published ? " cxw-published" : ""}`}>
          {row.published ? "Published" : "Unlisted"}
        </span>
      )}
      about={(row) => (
        <span class="cxw-counters">
          {COUNTERS.map(([name, word]) => (
            <span key={name}>
              {count(row[name])} {word}
            </span>
          ))}
        </span>
      )}
      controls={(row, { button, link }) => (
        <>
          {button("form", "Edit")}
          {button("sky", "Show on the sky", "Sky")}
          {button("publish", row.published ? "Unpublish…" : "Publish…")}
          <span class="cxw-links">
            {link(row.record, "Record", "record")} {link(row.page, "Page", "page")} {link(row.edit, "Editor", "edit")}
          </span>
        </>
      )}
    />
  );
}

export default widgetOf(HandleScenes, ({ kernel }) => fallbackOf(kernel.trait<HandleListStatus>("status"), "scene"));
