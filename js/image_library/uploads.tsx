// Uploads: progress, speed and remaining time, and actions on those that failed.

import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { plural } from "../shared/numbers.ts";
import { bytes, duration, type Upload } from "./state.ts";

const PHASES: Record<Upload["phase"], string> = {
  arriving: "being sent to the kernel",
  waiting: "waiting",
  sending: "",
  done: "uploaded",
  stopped: "stopped",
  failed: "failed",
  unclear: "outcome unknown, it may be in the library",
  "signed out": "waiting for you to sign in",
};
const UNDER_WAY = ["arriving", "waiting", "sending"];
const AGAIN: Partial<Record<Upload["phase"], string>> = {
  failed: "Retry",
  unclear: "Check and retry",
};

export function wordsOf(upload: Upload): string {
  const { phase, size, done, rate, remaining, message } = upload;
  if (phase !== "arriving" && phase !== "sending") return [PHASES[phase], message].filter(Boolean).join(": ");
  const parts = [`${bytes(done)} of ${bytes(size)}`, PHASES[phase]];
  if (message) parts.push(message);
  else if (phase === "sending" && done === size) parts.push("the server is processing it");
  else if (phase === "sending" && rate > 0)
    parts.push(`${bytes(rate)}/s`, remaining === null ? "" : `${duration(remaining)} left`);
  return parts.filter(Boolean).join(", ");
}

export function Uploads({ kernel, uploads }: { kernel: KernelLink; uploads: Upload[] }) {
  if (uploads.length === 0) return null;
  const request = (kind: string, upload: Upload) => void kernel.request(kind, { upload: upload.id }).catch(() => {});
  const ended = uploads.filter((upload) => upload.phase === "done" || upload.phase === "stopped");
  const under = uploads.filter((upload) => UNDER_WAY.includes(upload.phase));
  const failed = uploads.filter((upload) => upload.phase === "failed" || upload.phase === "unclear");
  const summary = [
    under.length > 0 && `${plural(under.length, "upload")} in progress`,
    failed.length > 0 && `${failed.length} with problems`,
    ended.length > 0 && `${ended.length} finished`,
  ].filter(Boolean);
  return (
    <section class="cxw-uploads" aria-label="Uploads">
      <div class="cxw-row">
        <b role="status">{summary.join(", ") || "Uploads waiting"}</b>
        {ended.length > 1 && (
          <button type="button" class="cxw-fix" onClick={() => ended.forEach((upload) => request("clear", upload))}>
            Clear finished
          </button>
        )}
      </div>
      <ul>
        {uploads.map((upload) => (
          <li key={upload.id} data-phase={upload.phase}>
            <bdi class="cxw-upload-name">{upload.name}</bdi>
            {(upload.phase === "arriving" || upload.phase === "sending") && (
              <progress
                aria-label={`Upload of ${isolated(upload.name.slice(0, 100))}`}
                max={Math.max(upload.size, 1)}
                value={upload.done}
              />
            )}
            <bdi class="cxw-upload-words">{wordsOf(upload)}</bdi>
            <span class="cxw-row">
              {[...UNDER_WAY, "signed out"].includes(upload.phase) && !upload.message && (
                <button type="button" class="cxw-fix" onClick={() => request("stop", upload)}>
                  Cancel<span class="cxw-hidden"> the upload of {isolated(upload.name.slice(0, 100))}</span>
                </button>
              )}
              {AGAIN[upload.phase] && upload.is_whole && (
                <button type="button" class="cxw-fix" onClick={() => request("retry", upload)}>
                  {AGAIN[upload.phase]}
                  <span class="cxw-hidden">: {isolated(upload.name.slice(0, 100))}</span>
                </button>
              )}
              {!UNDER_WAY.includes(upload.phase) && upload.phase !== "signed out" && (
                <button type="button" class="cxw-fix" onClick={() => request("clear", upload)}>
                  Clear<span class="cxw-hidden"> {isolated(upload.name.slice(0, 100))} from this list</span>
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
