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
