import { counted } from "../counted";

/** What of a rule's matches may surprise. */
export interface Surprises {
  readonly devices: number;
  /** Devices that usually send less often than the rule has to be true for. */
  readonly slow: number;
  /** Watched metrics whose unit isn't the same everywhere. */
  readonly units: readonly { readonly metric: string; readonly units: readonly string[] }[];
  /** Metrics of a kind that the rule doesn't ask for. */
  readonly otherKinds: readonly { readonly metric: string; readonly kind: "number" | "boolean" | "text" }[];
}

/** What a person should know of a rule before relying on it, each in a sentence. @param lasting for how long it has to be true, in words */
export function warningsOf({ devices, slow, units, otherKinds }: Surprises, lasting: string): string[] {
  return [
    ...otherKinds.map(({ metric, kind }) => {
      if (kind === "text") return `${metric} is said in words, which no rule judges: it never fires for that.`;
      return kind === "number"
        ? `${metric} is a number: it counts as true where it is 1, as false where it is 0, else as neither.`
        : `${metric} is true or false, which is 1 or 0: neither is beyond the limit.`;
    }),
    ...units.map(
      ({ metric, units: of }) =>
        `${metric} isn’t in one unit everywhere: ${of.map((unit) => unit || "none").join(", ")}.`,
    ),
    ...(slow > 0
      ? [
          `${counted(slow, "device")} of ${devices} usually send less often than “for ${lasting}”: two readings in a row decide.`,
        ]
      : []),
  ];
}
