/** What a page has one of. anywidget evaluates a widget's module again for each widget, so that a module's own variables are not shared. */

/**
 * The page's value called `name`, made on first use. The name ends in a number that grows with the value's shape: a page may hold
 * widgets of two versions of this package, from two kernels.
 */
export function pageWide<T>(name: string, make: () => T): T {
  const page = globalThis as unknown as Record<symbol, T | undefined>;
  const key = Symbol.for(`constellations_widgets.${name}`);
  page[key] ??= make();
  return page[key];
}
