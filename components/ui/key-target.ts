/** Fields that letters mean nothing to: they are chosen by arrows and the space bar. */
const CHOICES = "input[type=radio], input[type=checkbox], input[type=button]";

/**
 * True if a key pressed there belongs to something else: a field being typed in, an open list or menu, or an open dialog.
 * Keys of a page and of the shell ask this first.
 */
export function isKeyTaken({ target, key }: Pick<KeyboardEvent, "target" | "key">): boolean {
  const element = target instanceof Element ? target : document.body;
  const isLetter = key.length === 1 && key !== " ";
  if (!(isLetter && element.matches(CHOICES)) && element.closest("input, textarea, select, [contenteditable=true]"))
    return true;
  return element.closest("[role=listbox], [role=menu]") !== null || document.querySelector("[role=dialog]") !== null;
}
