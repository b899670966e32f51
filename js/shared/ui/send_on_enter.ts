/** Enter sends the form that a field is in. JupyterLab keeps the browser from doing it by itself. */
export function sendOnEnter(event: KeyboardEvent): void {
  const field = event.target as HTMLInputElement;
  if (event.key !== "Enter" || field.tagName !== "INPUT") return;
  event.preventDefault();
  field.form?.requestSubmit();
}
