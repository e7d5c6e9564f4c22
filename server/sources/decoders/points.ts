import type { Part } from "@/server/domain/mapping/delivery";
import { checkCount } from "./decoder";
import { buildTree } from "./tree";

/** A value at a time, of one of the formats whose payloads are many of them. */
export interface Point {
  readonly device: string;
  /** Its name among the device's. */
  readonly series: string;
  /** As text of digits, in the format's own precision; null if it has none. */
  readonly time: string | null;
  readonly unit: string | null;
  /** Digits, or what JSON has. */
  readonly value: { readonly number: string } | { readonly json: unknown };
  /** False for what is told but isn't a reading, such as the buckets of a histogram: it stands in `other`. */
  readonly isReading: boolean;
  /** What holds for many points; the same object for all of them. */
  readonly about: object;
  readonly path: string;
}

/** What is no point, and why. */
export interface BrokenPoint {
  readonly path: string;
  readonly error: string;
}

/**
 * Puts points of one device, time, unit and subject together: each group becomes a part `{…about, device, time, unit, readings, other}`, as a message a
 * point would cost a hundred times what one of a hundred readings costs. A series that comes twice at one time begins another part.
 */
export function groupPoints(points: Iterable<Point | BrokenPoint>): Part[] {
  const groups = new Map<object, Map<string, Group>>();
  const parts: Part[] = [];
  for (const point of points) {
    if ("error" in point) {
      parts.push({ path: `#${parts.length + 1} ${point.path}`, error: point.error });
      checkCount(parts.length);
      continue;
    }
    let byKey = groups.get(point.about);
    if (byKey === undefined) groups.set(point.about, (byKey = new Map()));
    const key = JSON.stringify([point.device, point.time, point.unit]);
    const there = byKey.get(key);
    const group = there === undefined || there.has(point) ? begin(point, parts.length + 1) : there;
    if (group !== there) {
      byKey.set(key, group);
      parts.push(group.part);
      checkCount(parts.length);
    }
    group.add(point);
  }
  return parts;
}

interface Group {
  readonly part: Part;
  has(point: Point): boolean;
  add(point: Point): void;
}

function begin({ about, device, time, unit, path }: Point, number: number): Group {
  const tree = buildTree();
  const [readings, other] = [tree.branch(), tree.branch()];
  const told: Record<string, unknown> = { ...about, device, readings };
  if (time !== null) told.time = time;
  if (unit !== null) told.unit = unit;
  const branchOf = ({ isReading }: Point) => (isReading ? readings : (told.other = other));
  return {
    part: { value: tree.done(told), path: `#${number} ${path}`, beside: {} },
    has: ({ isReading, series }) => Object.hasOwn(isReading ? readings : other, series),
    add(point) {
      const { series, value } = point;
      if ("number" in value) tree.setNumber(branchOf(point), series, value.number);
      else tree.set(branchOf(point), series, value.json);
    },
  };
}
