import { isName } from "@/server/domain/terms";

/** The device a path segment names, or null if it can't be the name of one. */
export function deviceInAddress(segment: string): string | null {
  try {
    const name = decodeURIComponent(segment);
    return isName(name) ? name : null;
  } catch {
    return null;
  }
}
