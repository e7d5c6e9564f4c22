import { isName } from "./terms";

/** Ends a segment that without it would mean something else; no name holds it. */
const MARK = "~";

/**
 * The segment of an address that stands for a device or a metric. Earlier versions stored names that no address can hold, encoded or not:
 * `.` and `..` are steps to every reader of addresses. Those get a mark, and {@link fromSegment} takes it off.
 */
export function toSegment(name: string): string {
  return encodeURIComponent(name) + (isName(name) ? "" : MARK);
}

/** The name that a decoded segment stands for. */
export function fromSegment(segment: string): string {
  return segment.endsWith(MARK) ? segment.slice(0, -MARK.length) : segment;
}
