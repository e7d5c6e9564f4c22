import { withinOr } from "@/server/async/timeout";
import type { PipelineMeasure } from "@/server/domain/alerts/rule";
import type { EpochMs } from "@/server/domain/terms";

/** A figure of the pipeline. */
export interface Measured {
  /** The engine or the source it is of; empty for the whole pipeline. */
  readonly subject: string;
  readonly value: number;
}

/** How each measure is taken: all there is of it; null: nobody knows now. */
export type MeasurePipeline = Readonly<Record<PipelineMeasure, () => Promise<readonly Measured[] | null>>>;

/** What was known at a moment. */
export interface Look {
  readonly at: EpochMs;
  readonly measured: ReadonlyMap<PipelineMeasure, readonly Measured[]>;
}

/** Looks at the pipeline, and keeps what was seen until it can be judged: while the database is away it can't. */
export interface PipelineLooks {
  /** Takes the measures that are wanted. Resolves within a few seconds, whatever hangs. */
  look(at: EpochMs): Promise<void>;
  /** Says which are wanted from now on. */
  want(measures: ReadonlySet<PipelineMeasure>): void;
  /** What was seen and not forgotten, oldest first. */
  seen(): readonly Look[];
  /** Forgets what was judged. */
  forget(until: EpochMs): void;
}

const PATIENCE_MS = 4000;
/** A day of them at least. */
const MOST_LOOKS = 20_000;

export function createPipelineLooks(measure: MeasurePipeline): PipelineLooks {
  let looks: Look[] = [];
  // Until the rules were read: the database may be what is away.
  let wanted: ReadonlySet<PipelineMeasure> = new Set<PipelineMeasure>(["engineAway"]);
  return {
    async look(at) {
      const measured = new Map<PipelineMeasure, readonly Measured[]>();
      const take = async (name: PipelineMeasure) => {
        const found = await withinOr(
          PATIENCE_MS,
          measure[name]().catch(() => null),
          null,
        );
        if (found !== null) measured.set(name, found);
      };
      await Promise.all([...wanted].map(take));
      looks.push({ at, measured });
      if (looks.length > MOST_LOOKS) looks = looks.slice(-MOST_LOOKS);
    },
    want: (measures) => void (wanted = measures),
    seen: () => looks,
    forget: (until) => void (looks = looks.filter(({ at }) => at > until)),
  };
}
