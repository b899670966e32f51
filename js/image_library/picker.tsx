// Chooses files of the kernel's disk, the working directory first.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Comm } from "../shared/comm.ts";
import { bytes, counted } from "./state.ts";

interface Entry {
  name: string;
  path: string;
  /** Null for a folder. */
  size: number | null;
  image: boolean;
}

interface Folder {
  folder: string;
  parent: string | null;
  entries: Entry[];
  left_out: number;
}

export function Picker({ comm, close }: { comm: Comm; close(): void }) {
  const [shown, setShown] = useState<Folder | null>(null);
  const [message, setMessage] = useState("");
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const section = useRef<HTMLElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const goTo = (folder: string) =>
    void comm.ask("places", { folder }).then(
      ({ content }) => {
        setShown(content as unknown as Folder);
        setMessage("");
      },
      (error: Error) => setMessage(error.message),
    );
  useEffect(() => goTo(""), []);
  useEffect(() => {
    const first = list.current!.querySelector<HTMLElement>("button, input") ?? section.current!.querySelector<HTMLElement>("button:enabled");
    if (shown) first?.focus();
  }, [shown?.folder]);

  const entries = shown?.entries.filter((entry) => entry.size === null || entry.image || all) ?? [];
  const toggle = (path: string) => {
    const next = new Set(chosen);
    if (!next.delete(path)) next.add(path);
    setChosen(next);
  };
  const upload = () => void comm.ask("upload", { paths: [...chosen] }).then(close, (error: Error) => setMessage(error.message));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") close();
    else if (step) {
      const stops = [...list.current!.querySelectorAll<HTMLElement>("button, input")];
      stops[Math.max(0, Math.min(stops.length - 1, stops.indexOf(document.activeElement as HTMLElement) + step))]?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    <section ref={section} class="cxw-picker" aria-label="Files on the kernel's disk" onKeyDown={onKeyDown}>
      <div class="cxw-row">
        <button type="button" disabled={!shown?.parent} onClick={() => goTo(shown!.parent!)}>
          Up
        </button>
        <bdi class="cxw-folder">{shown?.folder}</bdi>
      </div>
      <div role="alert" class="cxw-refusal">
        {message}
      </div>
      <ul ref={list}>
        {entries.map((entry) => (
          <li key={entry.path}>
            {entry.size === null ? (
              <button type="button" class="cxw-link" onClick={() => goTo(entry.path)}>
                <bdi>{entry.name}</bdi>/
              </button>
            ) : (
              <label>
                <input type="checkbox" checked={chosen.has(entry.path)} onChange={() => toggle(entry.path)} /> <bdi>{entry.name}</bdi>{" "}
                <span class="cxw-quiet">{bytes(entry.size)}</span>
              </label>
            )}
          </li>
        ))}
        {shown && entries.length === 0 && <li class="cxw-quiet">No images here.</li>}
        {shown !== null && shown.left_out > 0 && <li class="cxw-quiet">And {shown.left_out} more, which are not shown.</li>}
      </ul>
      <div class="cxw-row">
        <button type="button" class="cxw-primary" disabled={chosen.size === 0} onClick={upload}>
          {chosen.size === 0 ? "Upload" : `Upload ${counted(chosen.size, "file")}`}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <label>
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} /> Show files that are no images, too
        </label>
      </div>
    </section>
  );
}
