// Signing in: the ways in, then waiting for the browser, then who is signed in.

import "../shared/theme.css";
import "./sign_in.css";
import { useRef } from "preact/hooks";
import { useFollowingFocus } from "../shared/follow_focus.ts";
import { words } from "../shared/keepsake.ts";
import { useDraft, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import type { Status } from "./status.ts";
import { Waiting, Ways } from "./ways.tsx";
import { Who } from "./who.tsx";

function SignIn(view: ViewProps) {
  const { model, draft } = view;
  useDraft(draft);
  const status = useTrait<Status>(model, "status");
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, status.phase);
  const props = { ...view, status };
  const service = status.service === "images" ? "the image library" : "WWT Constellations";
  return (
    <div ref={root} class="cxw-sign-in" role="group" aria-label={`Sign in to ${service}`} data-phase={status.phase}>
      {draft.gone && (
        <div class="cxw-notice" role="alert">
          The kernel that made this was restarted or shut down. Run the cell again to sign in.
        </div>
      )}
      {status.phase !== "in" && (
        <h3>
          Sign in to {service} <small>{status.api_url}</small>
        </h3>
      )}
      {status.message && (
        <div class="cxw-fault" role="alert">
          {status.message}
        </div>
      )}
      {status.phase === "out" && <Ways {...props} />}
      {status.phase === "busy" && (
        <div class="cxw-row">
          <span role="status" tabIndex={-1} data-focus>
            {status.progress}
          </span>
          <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
            Cancel
          </button>
        </div>
      )}
      {status.phase === "waiting" && <Waiting {...props} />}
      {status.phase === "in" && <Who {...props} />}
    </div>
  );
}

export default widgetOf(SignIn, () => words("Here one can sign in. Run the cell to see who is signed in: a notebook never holds that."));
