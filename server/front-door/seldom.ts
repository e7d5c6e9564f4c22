const EVERY_MS = 60_000;
/** The most different keys let through in a minute: a stranger can make up names without end. */
const MOST_A_MINUTE = 20;

/** Lets each key through once a minute. */
export function createSeldom(now: () => number): (key: string) => boolean {
  let since = -Infinity;
  const told = new Set<string>();
  return (key) => {
    if (now() - since >= EVERY_MS) {
      since = now();
      told.clear();
    }
    if (told.has(key) || told.size >= MOST_A_MINUTE) return false;
    told.add(key);
    return true;
  };
}
