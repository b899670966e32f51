// What is on its way into the library: how far, how fast, how long; and what can be done with what failed.

import type { Comm } from "../shared/comm.ts";
import { bytes, counted, duration, type Upload } from "./state.ts";

const PHASES: Record<Upload["phase"], string> = {
  arriving: "on its way to the kernel",
  waiting: "waits for its turn",
  sending: "",
  done: "is in the library",
  stopped: "stopped",
  failed: "failed",
  unclear: "may be in the library or not",
  "signed out": "waits for you to sign in",
};
const UNDER_WAY = ["arriving", "waiting", "sending"];
const AGAIN: Partial<Record<Upload["phase"], string>> = { failed: "Try again", unclear: "Look, and send it if it is not there" };

export function wordsOf(upload: Upload): string {
  const { phase, size, done, rate, left, message } = upload;
  if (phase !== "arriving" && phase !== "sending") return [PHASES[phase], message].filter(Boolean).join(": ");
  const parts = [`${bytes(done)} of ${bytes(size)}`, PHASES[phase]];
  if (message) parts.push(message);
  else if (phase === "sending" && done === size) parts.push("the server is at work on it");
  else if (phase === "sending" && rate > 0) parts.push(`${bytes(rate)}/s`, left === null ? "" : `${duration(left)} left`);
  return parts.filter(Boolean).join(", ");
}

export function Uploads({ comm, uploads }: { comm: Comm; uploads: Upload[] }) {
  if (uploads.length === 0) return null;
  const tell = (kind: string, upload: Upload) => void comm.ask(kind, { upload: upload.id }).catch(() => {});
  const ended = uploads.filter((upload) => upload.phase === "done" || upload.phase === "stopped");
  const under = uploads.filter((upload) => UNDER_WAY.includes(upload.phase));
  const failed = uploads.filter((upload) => upload.phase === "failed" || upload.phase === "unclear");
  const summary = [
    under.length > 0 && `${counted(under.length, "upload")} under way`,
    failed.length > 0 && `${failed.length} to see to`,
    ended.length > 0 && `${ended.length} ended`,
  ].filter(Boolean);
  return (
    <section class="cxw-uploads" aria-label="Uploads">
      <div class="cxw-row">
        <b role="status">{summary.join(", ") || "Uploads wait"}</b>
        {ended.length > 1 && (
          <button type="button" class="cxw-fix" onClick={() => ended.forEach((upload) => tell("forget", upload))}>
            Clear those that ended
          </button>
        )}
      </div>
      <ul>
        {uploads.map((upload) => (
          <li key={upload.id} data-phase={upload.phase}>
            <bdi class="cxw-upload-name">{upload.name}</bdi>
            {(upload.phase === "arriving" || upload.phase === "sending") && (
              <progress aria-label={`Upload of ${upload.name.slice(0, 100)}`} max={Math.max(upload.size, 1)} value={upload.done} />
            )}
            <span class="cxw-upload-words">{wordsOf(upload)}</span>
            <span class="cxw-row">
              {[...UNDER_WAY, "signed out"].includes(upload.phase) && !upload.message && (
                <button type="button" class="cxw-fix" onClick={() => tell("stop", upload)}>
                  Stop<span class="cxw-hidden"> the upload of {upload.name.slice(0, 100)}</span>
                </button>
              )}
              {AGAIN[upload.phase] && upload.is_whole && (
                <button type="button" class="cxw-fix" onClick={() => tell("again", upload)}>
                  {AGAIN[upload.phase]}
                  <span class="cxw-hidden">: {upload.name.slice(0, 100)}</span>
                </button>
              )}
              {!UNDER_WAY.includes(upload.phase) && upload.phase !== "signed out" && (
                <button type="button" class="cxw-fix" onClick={() => tell("forget", upload)}>
                  Clear<span class="cxw-hidden"> {upload.name.slice(0, 100)} from this list</span>
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
