/**
 * True if a key pressed there belongs to something else: a field being typed in, an open list or menu, or an open dialog.
 * Keys of a page and of the shell ask this first.
 */
export function isKeyTaken(target: EventTarget | null): boolean {
  const element = target instanceof Element ? target : document.body;
  if (element.closest("input, textarea, select, [contenteditable=true], [role=listbox], [role=menu]")) return true;
  return document.querySelector("[role=dialog]") !== null;
}
