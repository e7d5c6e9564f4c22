/**
 * A function that asks for one thing, while `work` asks for many at once: what is asked for during one batch makes up the
 * next. So there is one question at a time, however many ask.
 * @param work gives one answer for each question, in their order; what it throws, all of the batch get.
 * @param gather waits for those who ask at the same moment before a batch is closed; left out, the first one's begins at once.
 */
export function inBatches<Q, A>(
  most: number,
  work: (questions: readonly Q[]) => Promise<readonly A[]>,
  gather?: () => Promise<unknown>,
) {
  interface Asked {
    readonly question: Q;
    readonly resolve: (answer: A) => void;
    readonly reject: (error: unknown) => void;
  }
  const waiting: Asked[] = [];
  let working = false;

  async function run(): Promise<void> {
    working = true;
    // What is asked for in one go is one batch.
    await null;
    while (waiting.length > 0) {
      if (gather) await gather();
      const batch = waiting.splice(0, most);
      try {
        const answers = await work(batch.map(({ question }) => question));
        batch.forEach(({ resolve }, i) => resolve(answers[i]!));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    working = false;
  }

  return (question: Q): Promise<A> =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!working) void run();
    });
}
