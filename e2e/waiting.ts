/** Waits until `condition` is true; a thrown error ends the waiting at once. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs: number; everyMs?: number; what: string },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${options.timeoutMs / 1000} s for ${options.what}.`);
    await pause(options.everyMs ?? 50);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export { seeded } from "@/server/testing/seeded";
