/**
 * What a view is put before, so that it moves one place in a list.
 * @param by -1: towards the first. @returns null: behind the last; undefined: it is at that end already
 */
export function beforeOf(views: readonly { readonly id: number }[], id: number, by: -1 | 1): number | null | undefined {
  const at = views.findIndex((view) => view.id === id);
  if (at === -1 || views[at + by] === undefined) return undefined;
  if (by === -1) return views[at - 1]!.id;
  return views[at + 2]?.id ?? null;
}
