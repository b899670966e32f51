// Signing in: the ways in, then waiting for the browser, then who is signed in.

import "../shared/ui/theme.css";
import "./sign_in.css";
import { useRef, useState } from "preact/hooks";
import type { SignInStatus as Status } from "../protocol.ts";
import { useSilence, useTrait, type ViewProps, widgetOf } from "../shared/mount.tsx";
import { paragraph } from "../shared/static_fallback.ts";
import { useFollowingFocus } from "../shared/ui/follow_focus.ts";
import { KernelGone, KernelSilent } from "../shared/ui/kernel_notices.tsx";
import { Waiting, Ways } from "./ways.tsx";
import { Who } from "./who.tsx";

function SignIn({ kernel }: ViewProps) {
  const status = useTrait<Status>(kernel, "status");
  const root = useRef<HTMLDivElement>(null);
  useFollowingFocus(root, status.phase);
  const silent = useSilence(kernel);
  const props = { kernel, status };
  const [others, setOthers] = useState(false); // stays as it was when a way has failed
  const service = status.service === "images" ? "the image library" : "WWT Constellations";
  return (
    <div ref={root} class="cxw-sign-in" role="group" aria-label={`Sign in to ${service}`} data-phase={status.phase}>
      <KernelGone kernel={kernel} again="to sign in" loses={false} />
      <KernelSilent silent={silent && !kernel.gone} />
      {status.phase !== "in" && (
        <h3>
          Sign in to {service} <small>{status.api_url}</small>
        </h3>
      )}
      {status.message && (
        <div class="cxw-fault" role="alert">
          <bdi>{status.message}</bdi>
        </div>
      )}
      {status.phase === "out" && <Ways {...props} others={others} setOthers={setOthers} />}
      {status.phase === "busy" && (
        <div class="cxw-row">
          <span role="status" tabIndex={-1} data-focus>
            <bdi>{status.progress}</bdi>
          </span>
          <button type="button" onClick={() => kernel.send({ kind: "cancel" })}>
            Cancel
          </button>
        </div>
      )}
      {status.phase === "waiting" && <Waiting {...props} />}
      {status.phase === "in" && <Who {...props} />}
    </div>
  );
}

export default widgetOf(SignIn, () =>
  paragraph("Sign-in. Run the cell to see who is signed in; notebooks never store that."),
);
