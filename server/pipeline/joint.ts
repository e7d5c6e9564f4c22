/**
 * A function that takes one thing, while `work` takes several: those that come in one turn, or while work is under way, go
 * together, in the order they came, as long as their sizes add up to no more than `most`.
 * @param concurrency how many such groups are under way at once.
 * @param alone tells, when its turn comes, whether a thing goes by itself.
 * @param work tells of each thing, in their order, what became of it.
 */
export function createJoint<T>(options: {
  readonly most: number;
  readonly size: (one: T) => number;
  readonly concurrency: number;
  readonly alone: (one: T) => boolean;
  readonly work: (group: readonly T[]) => Promise<readonly PromiseSettledResult<void>[]>;
}): (one: T) => Promise<void> {
  const { most, size, concurrency, alone, work } = options;
  interface Entry {
    readonly one: T;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }
  const waiting: Entry[] = [];
  let underWay = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || underWay >= concurrency || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void run(nextGroup());
      schedule();
    });
  }

  function nextGroup(): Entry[] {
    const group = [waiting.shift()!];
    if (alone(group[0]!.one)) return group;
    let sum = size(group[0]!.one);
    for (let i = 0; i < waiting.length;) {
      const { one } = waiting[i]!;
      if (!alone(one) && sum + size(one) <= most) {
        sum += size(one);
        group.push(...waiting.splice(i, 1));
      } else i++;
    }
    return group;
  }

  async function run(group: readonly Entry[]): Promise<void> {
    underWay++;
    try {
      const results = await work(group.map(({ one }) => one));
      for (const [i, { resolve, reject }] of group.entries()) {
        const result = results[i]!;
        if (result.status === "fulfilled") resolve();
        else reject(result.reason);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      underWay--;
      schedule();
    }
  }

  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject });
      schedule();
    });
}
