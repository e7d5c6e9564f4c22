import type { ListedAlert } from "@/server/contracts/alerts";

/** An alert for tests: press-07 at north is too hot. */
export const alert = (changes: Partial<ListedAlert> = {}): ListedAlert => ({
  ...{
    id: "1",
    rule: { id: 1, name: "Too hot", version: 1 },
    device: "press-07",
    site: "north",
    subject: null,
    metric: "temperature",
    condition: null,
  },
  ...{
    unit: "°C",
    decimals: null,
    color: null,
    severity: "warning",
    state: "firing",
    startedAt: "2026-11-28T10:00:00.000Z",
  },
  ...{ firedAt: "2026-11-28T10:01:00.000Z", endedAt: null, decidedAt: "2026-11-28T10:01:00.100Z" },
  ...{ firstValue: 81, worstValue: 96.1, worstAt: null, lastValue: 91.25, closedReason: null, late: false },
  ...{
    parent: null,
    flaps: 0,
    flapping: false,
    noDataSince: null,
    acknowledged: null,
    children: 0,
    told: [],
    untold: null,
  },
  ...changes,
});
