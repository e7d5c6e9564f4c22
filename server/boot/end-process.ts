/** Ends this process with `exitCode` once `stop` has resolved or failed, and after `withinMs` milliseconds at the latest. */
export function endProcess(stop: () => Promise<void>, exitCode: number, withinMs: number): void {
  setTimeout(() => process.exit(exitCode), withinMs);
  void stop().finally(() => process.exit(exitCode));
}
