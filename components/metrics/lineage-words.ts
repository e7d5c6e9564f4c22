import type { LineageAnswer, LineageEdge, LineageNode } from "@/server/contracts/lineage";
import { counted } from "@/server/domain/counted";
import { keptWords } from "@/server/domain/kept-words";
import { formatBytes, formatTotal } from "../ui/format";

/** How much there is: rows where they mean something to people, and bytes. */
export function sizeWords({ rows, bytes, kind }: Pick<LineageNode, "rows" | "bytes" | "kind">): string | null {
  const size = bytes === null ? null : formatBytes(bytes);
  // How many blocks or rollups a store has tells people nothing; what it takes does.
  const count = rows === null || rows.isAbout ? null : `${formatTotal(rows.count)} ${rows.of.split(" ")[0]}`;
  return [count, kind === "source" ? null : size].filter((part) => part !== null).join(" · ") || null;
}

/** An owner without the address that may stand after its name. */
export function shortOwner(owner: string): string {
  return owner.replace(/\s+<[^<>]*>$/, "");
}

/** Who answers for it. */
export function ownerWords({ owner, metricOwners }: Pick<LineageNode, "owner" | "metricOwners">): string {
  const all = owner === null ? null : shortOwner(owner);
  if (metricOwners.length === 0) return all ?? "not said";
  const [first, second, ...more] = metricOwners.map(shortOwner);
  const named = [first, second, ...(more.length > 0 ? [`${more.length} more`] : [])].filter(Boolean).join(", ");
  return `${all === null ? "" : `${all}; `}of some metrics ${named}`;
}

/** How long it is kept. */
export function keptFor({ keptDays, kind, stage }: Pick<LineageNode, "keptDays" | "kind" | "stage">): string {
  if (stage === "source" || kind === "downloads") return "not kept";
  if (kind === "latest") return "as long as its device";
  if (keptDays === null) return "for ever";
  return keptDays < 2 ? counted(Math.round(keptDays * 24), "hour") : keptWords(Math.round(keptDays));
}

/** What came in which way, for where no lines are drawn. */
export function flowWords(into: readonly LineageEdge[], nodes: readonly Pick<LineageNode, "id" | "title">[]): string {
  return into
    .map(({ from, count, of }) => {
      const title = nodes.find(({ id }) => id === from)?.title ?? from;
      return count === null ? `from ${title}` : `from ${title}: ${formatTotal(count)} ${of ?? ""}`.trim();
    })
    .join(" · ");
}

/** What became of OpenLineage events. */
export function sentWords({ sent, waiting, dropped, refused, trouble }: NonNullable<LineageAnswer["sent"]>): string {
  const lost = [
    ...(dropped > 0 ? [`${counted(dropped, "event")} let go, as too many waited`] : []),
    ...(refused > 0 ? [`${counted(refused, "event")} refused by the receiver`] : []),
  ];
  const waits = waiting > 0 ? `, ${formatTotal(waiting)} ${waiting === 1 ? "waits" : "wait"}` : "";
  return [
    `${counted(sent, "event")} sent${waits}.`,
    ...(trouble ? [`${trouble}.`] : []),
    ...lost.map((one) => `${one}.`),
  ].join(" ");
}
