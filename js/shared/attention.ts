// When a missing value is reported in red: after its field was left, or Publish was pressed. Until then it is a quiet word at the label.

import { createContext } from "preact";
import type { Problem, Value } from "../protocol.ts";

export interface Attention {
  /** Whether the missing value of a field is to be reported now. */
  isDue(path: string): boolean;
  /** The field was left. */
  leave(path: string): void;
  /** Whether the draft goes to a sandbox, where an address of this computer is no fault. */
  sandbox: boolean;
}

/** Without a form around, everything is due. */
export const AttentionContext = createContext<Attention>({ isDue: () => true, leave: () => {}, sandbox: false });

/** Code of an address that only this network can reach. */
const FINE_IN_A_SANDBOX = "CXW305";

/** Whether a problem counts where the draft goes. */
export const counts = (problem: Problem, sandbox: boolean) => !(sandbox && problem.code === FINE_IN_A_SANDBOX);

export const isEmpty = (value: Value) => value === null || (typeof value === "string" && value.trim() === "");

/** Whether a problem can be acted on; what is only worth knowing stays in `draft.problems`. */
export const isShown = (problem: Problem) => problem.severity !== "info" || problem.fix !== null;
