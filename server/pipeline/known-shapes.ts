import type { Shape } from "@/server/domain/message";
import { isName, type MetricKind } from "@/server/domain/terms";

/** Places remembered, and those that may follow one: some hundred bytes each. */
const MOST_PLACES = 4000;
const MOST_STEPS = 32;

const [QUOTE, COLON, ZERO, NINE] = [...Buffer.from('":09')] as [number, number, number, number];

/** Where a reader stands in a message's readings: the shape of those before, and what was found to follow. */
interface Place {
  readonly shape: Shape;
  readonly steps: Step[];
}

/** A name that follows, and the places after its value. */
interface Step {
  readonly name: string;
  /** The name's bytes with its quotes and the colon. */
  readonly mark: Uint8Array;
  readonly after: { -readonly [Kind in MetricKind]: Place | null };
}

/** The shapes of messages, as a tree of the names they begin with: messages alike share one, and names are found by comparing bytes. */
interface KnownShapes {
  /** The place before the first reading. */
  begin(): Place;
  /** The name that stands at `at`; null if there is no plain one. */
  stepAt(place: Place, bytes: Buffer, at: number): Step | null;
  /** The place after that name's value. */
  after(place: Place, step: Step, kind: MetricKind): Place;
}

export function createKnownShapes(): KnownShapes {
  let root = placeOf({ names: [], kinds: [] });
  let places = 0;

  function learn({ shape, steps }: Place, bytes: Buffer, at: number): Step | null {
    const end = bytes.indexOf(QUOTE, at + 1);
    if (end < 0 || bytes[end + 1] !== COLON) return null;
    const name = bytes.toString("latin1", at + 1, end);
    const first = bytes[at + 1]!;
    // Objects have keys that look like numbers before all others, and a key that comes again only once.
    if ((first >= ZERO && first <= NINE) || !isName(name) || shape.names.includes(name)) return null;
    const mark = Buffer.from(bytes.subarray(at, end + 2));
    const step: Step = { name, mark, after: { number: null, boolean: null } };
    if (steps.length >= MOST_STEPS) steps.pop();
    steps.unshift(step);
    return step;
  }

  return {
    begin() {
      if (places > MOST_PLACES) {
        root = placeOf({ names: [], kinds: [] });
        places = 0;
      }
      return root;
    },
    stepAt(place, bytes, at) {
      const { steps } = place;
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i]!;
        if (!startsWith(bytes, step.mark, at)) continue;
        // The next message is most likely as this one.
        if (i > 0) [steps[i], steps[0]] = [steps[0]!, step];
        return step;
      }
      return learn(place, bytes, at);
    },
    after({ shape: { names, kinds } }, step, kind) {
      const known = step.after[kind];
      if (known !== null) return known;
      places++;
      return (step.after[kind] = placeOf({ names: [...names, step.name], kinds: [...kinds, kind] }));
    },
  };
}

function placeOf(shape: Shape): Place {
  return { shape, steps: [] };
}

/** True if these bytes stand at `at`. */
export function startsWith(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}
