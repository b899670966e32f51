/** From one widget of a draft to a field in another: the publisher's list leads to the form, whichever cell that is in. */

const EVENT = "cxw-go-to";

interface Wish {
  path: string;
  /** Report missing values now: Publish was pressed. */
  due: boolean;
}

/** Ask the form of this draft, the nearest one, to show a field (none if `path` is empty). Returns whether there is such a form. */
export function goTo(from: Element | null, draft: string, path: string, due = false): boolean {
  const forms = [...document.querySelectorAll(`.cxw-form[data-draft="${draft}"]`)];
  const panel = from?.closest(".cxw-panel");
  const form = forms.find((each) => panel?.contains(each)) ?? forms[0];
  form?.dispatchEvent(new CustomEvent<Wish>(EVENT, { detail: { path, due } }));
  return form !== undefined;
}

/** Let a form handle `goTo`; returns a function that stops it. */
export function onGoTo(form: Element, show: (path: string, due: boolean) => void): () => void {
  const onGoTo = (event: Event) => {
    const { path, due } = (event as CustomEvent<Wish>).detail;
    show(path, due);
  };
  form.addEventListener(EVENT, onGoTo);
  return () => form.removeEventListener(EVENT, onGoTo);
}
