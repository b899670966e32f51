/** Resolve when Preact has rendered what has changed, has run its effects, and has rendered what those changed. */
export async function drawn(): Promise<void> {
  // Counted in turns of the event loop, not in milliseconds: on a busy machine, a timer may run before what it waits for.
  for (let turn = 0; turn < 10; turn++) {
    await new Promise(requestAnimationFrame);
    await new Promise((later) => setTimeout(later, 0));
  }
}
