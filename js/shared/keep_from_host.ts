// Keys that are typed in a widget, and the page around it, which has shortcuts of its own.

/**
 * Keep a key from the page around the widget, except the one that saves the notebook.
 *
 * JupyterLab takes single letters for commands; and wherever a key reaches the document, its guard cancels the line break or the undo
 * that the browser is about to make (`data-lm-suppress-shortcuts` switches off the commands, not the guard).
 */
export function keepFromHost(event: KeyboardEvent): void {
  const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!saves) event.stopPropagation();
}
