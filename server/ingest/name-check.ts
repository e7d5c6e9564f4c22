import { type DecodeBounds, decodeMessage } from "@/server/domain/decode-message";
import type { Admission } from "./admission";
import { IngestRefusedError } from "./refused";
import type { Sender } from "./sender";

/**
 * Counts what messages that come by no door name anew, as doors do, for who sends them.
 * @throws IngestRefusedError not-allowed or too-many-new, and then none of them is to be sent.
 */
export type NameCheck = (sender: Sender, messages: readonly Uint8Array[]) => Promise<void>;

export function createNameCheck(admission: Pick<Admission, "of">, bounds: () => DecodeBounds): NameCheck {
  return async (sender, messages) => {
    const now = bounds();
    const decoded = messages.map((bytes) => decodeMessage(bytes, now));
    const judging = await admission.of(sender);
    const verdicts = await judging.ask(decoded.flatMap((outcome) => (outcome.ok ? [outcome.message] : [])));
    for (const verdict of verdicts) {
      if (verdict.ok) continue;
      const { reason, detail, retryAt } = verdict;
      if (reason !== "tooManyNew" || retryAt === null) throw new IngestRefusedError("not-allowed", `${detail}.`);
      const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - now.now) / 1000));
      throw new IngestRefusedError("too-many-new", `${detail}.`, { retryAfterSeconds });
    }
  };
}
