import type { ProbeResult, ProbeStatus } from "@/server/contracts/health";

const SEVERITY: Record<ProbeStatus, number> = { fail: 3, warn: 2, unknown: 1, pass: 0 };

/** The worst status there is; unknown when there is nothing. */
export function worst(probes: readonly ProbeResult[]): ProbeStatus {
  const [first, ...rest] = probes;
  if (!first) return "unknown";
  return rest.reduce(
    (status, probe) => (SEVERITY[probe.status] > SEVERITY[status] ? probe.status : status),
    first.status,
  );
}

/** Returns true if a probe can't be asked for a cause that a failing probe of its group already tells. */
export function isExplained({ status, cause }: ProbeResult, group: readonly ProbeResult[]): boolean {
  return status === "unknown" && group.some((other) => other.status === "fail" && other.cause === cause);
}

/** Probes by what they belong to; what needs attention first, else in the order given. */
export function byGroup(probes: readonly ProbeResult[]): [group: string, probes: ProbeResult[]][] {
  const groups = new Map<string, ProbeResult[]>();
  for (const probe of probes) {
    const group = groups.get(probe.group);
    if (group) group.push(probe);
    else groups.set(probe.group, [probe]);
  }
  const bySeverity = (a: ProbeStatus, b: ProbeStatus) => SEVERITY[b] - SEVERITY[a];
  for (const group of groups.values()) group.sort((a, b) => bySeverity(a.status, b.status));
  return [...groups].sort(([, a], [, b]) => bySeverity(worst(a), worst(b)));
}
