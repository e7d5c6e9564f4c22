import { fromSegment } from "@/server/domain/segment";
import { NAME_PATTERN } from "@/server/domain/terms";

/** The device a path segment names, or null if none was ever called so: earlier versions took names that none may have now. */
export function deviceInAddress(segment: string): string | null {
  try {
    const name = fromSegment(decodeURIComponent(segment));
    return NAME_PATTERN.test(name) ? name : null;
  } catch {
    return null;
  }
}
