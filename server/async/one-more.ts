/** Runs `work` one at a time: whoever asks while it runs gets one more run after that, which sees all that was so when it was asked for. */
export function oneMore(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const run = (): Promise<void> =>
    (running = work().finally(() => {
      running = null;
    }));
  return () => {
    if (running === null) return run();
    const after = () => {
      next = null;
      return run();
    };
    return (next ??= running.then(after, after));
  };
}
