/** Waits for `work`, but not longer than `ms`; the work itself goes on. @throws what `late` makes, when the time is over. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work`, but not longer than `ms`, and then goes on without it: `otherwise` stands for its outcome. */
export async function withinOr<T, U>(ms: number, work: Promise<T>, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<U>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms).unref();
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for `work`, but not longer than `ms`. Its signal aborts then, and as soon as one of `signals` does. AbortSignal.any would leave
 * a trace with each of `signals` for as long as it lives. @throws what `late` makes, when the time is over.
 */
export async function withinAborting<T>(
  ms: number,
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error,
): Promise<T> {
  const ending = new AbortController();
  const listeners = signals.map((signal) => [signal, () => ending.abort(signal.reason)] as const);
  for (const [signal, abort] of listeners) {
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }
  const end = () => {
    const error = late();
    ending.abort(error);
    return error;
  };
  try {
    return await within(ms, work(ending.signal), end);
  } finally {
    for (const [signal, abort] of listeners) signal.removeEventListener("abort", abort);
  }
}
