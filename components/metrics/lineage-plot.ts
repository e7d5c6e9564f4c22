import type { LineageEdge, LineageNode } from "@/server/contracts/lineage";
import { type Stage, STAGES } from "@/server/domain/lineage";

/** Height of a card and the room below it, in px. */
const CARD = { height: 76, gap: 16 } as const;
/** Width of the columns and of the room between them, in parts of the picture's 1000. */
const COLUMN = { width: 168, gap: 40 } as const;

/** Where a card stands: x and width in parts of 1000, y in px. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** The picture: cards in columns by stage, each column centered, and a line for each edge. */
export interface LineagePlot {
  readonly height: number;
  readonly cardHeight: number;
  readonly cardWidth: number;
  readonly places: ReadonlyMap<string, Place>;
  readonly lines: readonly { readonly key: string; readonly edge: LineageEdge; readonly path: string }[];
}

/** Places what a lineage holds; what is in a column keeps the order of the answer. */
export function plotLineage(nodes: readonly LineageNode[], edges: readonly LineageEdge[]): LineagePlot {
  const columns = STAGES.map((stage: Stage) => nodes.filter((node) => node.stage === stage));
  const most = Math.max(1, ...columns.map(({ length }) => length));
  const height = most * CARD.height + (most - 1) * CARD.gap;
  const places = new Map<string, Place>();
  columns.forEach((column, i) => {
    const room = column.length * CARD.height + (column.length - 1) * CARD.gap;
    column.forEach(({ id }, k) =>
      places.set(id, { x: i * (COLUMN.width + COLUMN.gap), y: (height - room) / 2 + k * (CARD.height + CARD.gap) }),
    );
  });
  const lines = edges.flatMap((edge) => {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    return from && to ? [{ key: `${edge.from} ${edge.to}`, edge, path: lineBetween(from, to) }] : [];
  });
  return { height, cardHeight: CARD.height, cardWidth: COLUMN.width, places, lines };
}

/** From the right of one card to the left of another; within a column, around its right side. */
function lineBetween(from: Place, to: Place): string {
  const [x1, y1, y2] = [from.x + COLUMN.width, from.y + CARD.height / 2, to.y + CARD.height / 2];
  if (from.x === to.x) {
    const bulge = x1 + COLUMN.gap * 0.6;
    return `M ${x1} ${y1} C ${bulge} ${y1} ${bulge} ${y2} ${x1} ${y2}`;
  }
  const x2 = to.x;
  const bend = x1 + COLUMN.gap / 2;
  // Past other columns it runs between the cards of the first gap, then straight.
  return `M ${x1} ${y1} C ${bend} ${y1} ${bend} ${y2} ${x1 + COLUMN.gap} ${y2} L ${x2} ${y2}`;
}
