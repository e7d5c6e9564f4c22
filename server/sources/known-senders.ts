import type { SourceTemplatesAnswer } from "@/server/contracts/sources";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { SourceKind } from "@/server/domain/source";

/** What is known of senders from the start. */
export interface KnownSenders {
  readonly templates: SourceTemplatesAnswer["items"];
  /** The kinds that a payload looks like, the likeliest first. */
  guess(delivery: Delivery): readonly { readonly kind: SourceKind; readonly why: string }[];
}

/** What sources of a kind begin with. */
export function templateOf({ templates }: KnownSenders, kind: SourceKind): SourceTemplatesAnswer["items"][number] {
  return templates.find((template) => template.kind === kind)!;
}
