import { expect, test } from "vitest";
import type { LineageEdge, LineageNode } from "@/server/contracts/lineage";
import { CATALOG, DATASETS, FLOWS } from "@/server/domain/lineage";
import { plotLineage } from "./lineage-plot";
import { flowWords, keptFor, ownerWords, sentWords, sizeWords } from "./lineage-words";

const nodes = DATASETS.map(
  (kind) => ({ id: kind, kind, title: CATALOG[kind].title, stage: CATALOG[kind].stage }) as unknown as LineageNode,
);
const edges = FLOWS.map(({ from, to }) => ({ from, to, count: 0, of: "messages" }) as unknown as LineageEdge);

test("every dataset has a place of its own, every way a line, and no way goes back", () => {
  const { places, lines, height, cardHeight, cardWidth } = plotLineage(nodes, edges);
  expect(lines).toHaveLength(FLOWS.length);
  for (const { from, to } of FLOWS) expect(places.get(to)!.x).toBeGreaterThanOrEqual(places.get(from)!.x);
  const all = [...places.values()];
  for (const [i, one] of all.entries()) {
    expect(one.y + cardHeight).toBeLessThanOrEqual(height);
    expect(one.x + cardWidth).toBeLessThanOrEqual(1000);
    for (const other of all.slice(i + 1))
      expect(one.x !== other.x || Math.abs(one.y - other.y) >= cardHeight).toBe(true);
  }
});

test("words say what is counted, and never make up what isn't", () => {
  expect(sizeWords({ kind: "latest", rows: { count: 6, of: "devices", isAbout: false }, bytes: null })).toBe(
    "6 devices",
  );
  expect(sizeWords({ kind: "readings", rows: { count: 6, of: "blocks", isAbout: true }, bytes: 8192 })).toBe("8 KiB");
  expect(sizeWords({ kind: "downloads", rows: null, bytes: null })).toBeNull();
  expect(keptFor({ kind: "log", stage: "log", keptDays: 1 })).toBe("24 hours");
  expect(keptFor({ kind: "readings", stage: "store", keptDays: null })).toBe("for ever");
  expect(flowWords([{ ...edges[0]!, count: null }], nodes)).toBe("from Source");
  expect(flowWords([{ ...edges[0]!, count: 12 }], nodes)).toBe("from Source: 12 messages");
  const sent = { sent: 1200, waiting: 1, dropped: 2, refused: 0, lastSent: null, trouble: "The receiver answered 503" };
  expect(sentWords(sent)).toBe(
    "1,200 events sent, 1 waits. The receiver answered 503. 2 events let go, as too many waited.",
  );
});

test("who answers for data is said without addresses, and for some of its metrics the first two", () => {
  const owner = "Plant data <plant@example.com>";
  expect(ownerWords({ owner, metricOwners: [] })).toBe("Plant data");
  expect(ownerWords({ owner: null, metricOwners: [] })).toBe("not said");
  expect(ownerWords({ owner, metricOwners: ["Climate", "Drives <d@example.com>", "Tanks"] })).toBe(
    "Plant data; of some metrics Climate, Drives, 1 more",
  );
  expect(ownerWords({ owner: null, metricOwners: ["Climate"] })).toBe("of some metrics Climate");
});
