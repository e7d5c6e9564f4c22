import type { Accounts } from "./accounts";
import type { Delivery, IgnoreRule, MappingRefusal } from "./delivery";
import type { Draft } from "./message-text";

/** What is gathered of one delivery. */
export interface Run {
  readonly delivery: Delivery;
  /** Null unless an explanation was asked for. */
  readonly accounts: Accounts | null;
  readonly drafts: Draft[];
  /** By device, time and all else that messages have in common: the draft that goes on. */
  readonly open: Map<string, Draft>;
  readonly refused: MappingRefusal[];
  readonly ignored: Map<IgnoreRule, number>;
}

/** Counts what a rule left out. */
export function count({ ignored }: Run, rule: IgnoreRule): void {
  ignored.set(rule, (ignored.get(rule) ?? 0) + 1);
}
