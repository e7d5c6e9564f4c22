import type { DeadLetterStatus } from "@/server/contracts/dead-letters";
import { type Mark, MarkShape, StateMark } from "./state-mark";

export const STATUS_WORDS: Record<DeadLetterStatus, string> = {
  open: "Open",
  resending: "Resending",
  resent: "Resent",
  discarded: "Discarded",
};

const MARKS: Record<DeadLetterStatus, readonly [Mark, string]> = {
  open: ["warning", "Waits for a decision"],
  resending: ["unknown", "Sent to the event log again, not handled yet"],
  resent: ["ok", "Handled again"],
  discarded: ["stale", "Given up; kept until its retention ends"],
};

/** The shape of a status, beside its word. */
export function StatusShape({ status }: { status: DeadLetterStatus }) {
  return <MarkShape mark={MARKS[status][0]} />;
}

/** Shape, word and color of what has become of a dead letter. */
export function StatusMark({ status, isRefused = false }: { status: DeadLetterStatus; isRefused?: boolean }) {
  if (status === "resent" && isRefused)
    return <StateMark mark="warning" word="Refused again" title="Handled again, and became another dead letter" />;
  const [mark, title] = MARKS[status];
  return <StateMark mark={mark} word={STATUS_WORDS[status]} title={title} />;
}
