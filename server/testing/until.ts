import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits until `condition` gives something truthy, and returns it. A condition that throws counts as not yet.
 * @throws Error after `timeoutMs` (40 s), with what was awaited and the last error or value.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 40_000, everyMs = 20, what = condition.toString() } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await condition();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const cause = last instanceof Error ? last : undefined;
      throw new Error(`Not within ${timeoutMs} ms: ${what} (last: ${cause ? cause.message : String(last)})`, { cause });
    }
    await delay(everyMs);
  }
}
