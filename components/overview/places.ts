/**
 * Puts what is wanted into places, so that what stays wanted stays where it is and what is new takes the places that
 * became free. @param wanted the most important first, each once.
 */
export function keepPlaces(before: readonly string[], wanted: readonly string[], places: number): string[] {
  const chosen = wanted.slice(0, places);
  const isChosen = new Set(chosen);
  const isPlaced = new Set(before.filter((one) => isChosen.has(one)));
  const fresh = chosen.filter((one) => !isPlaced.has(one));
  const kept = before.slice(0, places).map((one) => (isChosen.has(one) ? one : fresh.shift()));
  return [...kept, ...fresh].filter((one) => one !== undefined);
}
