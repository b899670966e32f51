// Chooses files of the kernel's disk, the working directory first.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { DirectoryListing } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { plural } from "../shared/numbers.ts";
import { bytes } from "./state.ts";

export function Picker({ kernel, close }: { kernel: KernelLink; close(): void }) {
  const [shown, setShown] = useState<DirectoryListing | null>(null);
  const [message, setMessage] = useState("");
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const section = useRef<HTMLElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const goTo = (folder: string) =>
    void kernel.request<DirectoryListing>("directory", { folder }).then(
      ({ content }) => {
        setShown(content);
        setMessage("");
      },
      (error: Error) => setMessage(error.message),
    );
  useEffect(() => goTo(""), []);
  useLayoutEffect(() => {
    const first =
      list.current!.querySelector<HTMLElement>("button, input") ??
      section.current!.querySelector<HTMLElement>("button:enabled");
    if (shown) first?.focus();
  }, [shown?.folder]);

  const entries = shown?.entries.filter((entry) => entry.size === null || entry.image || all) ?? [];
  const toggle = (path: string) => {
    const next = new Set(chosen);
    if (!next.delete(path)) next.add(path);
    setChosen(next);
  };
  const upload = () =>
    void kernel.request("upload", { paths: [...chosen] }).then(close, (error: Error) => setMessage(error.message));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") close();
    else if (step) {
      const stops = [...list.current!.querySelectorAll<HTMLElement>("button, input")];
      stops[
        Math.max(0, Math.min(stops.length - 1, stops.indexOf(document.activeElement as HTMLElement) + step))
      ]?.focus();
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
        <bdi>{message}</bdi>
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
                <input type="checkbox" checked={chosen.has(entry.path)} onChange={() => toggle(entry.path)} />{" "}
                <bdi>{entry.name}</bdi> <span class="cxw-quiet">{bytes(entry.size)}</span>
              </label>
            )}
          </li>
        ))}
        {shown && entries.length === 0 && <li class="cxw-quiet">No images in this folder.</li>}
        {shown !== null && shown.omitted > 0 && <li class="cxw-quiet">{shown.omitted} more are not shown.</li>}
      </ul>
      <div class="cxw-row">
        <button type="button" class="cxw-primary" disabled={chosen.size === 0} onClick={upload}>
          {chosen.size === 0 ? "Upload" : `Upload ${plural(chosen.size, "file")}`}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <label>
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} /> Show all files
        </label>
      </div>
    </section>
  );
}
