/** A change of the changelog without its marks of Markdown: of a link the words, whose file isn't served. */
export function plainChange(change: string): string {
  return change.replaceAll("`", "").replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
}
