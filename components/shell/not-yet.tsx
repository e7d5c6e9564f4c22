import { adviceOn } from "../queries/request";
import { Failure, Loading } from "../ui/feedback";

interface NotYetProps {
  /** What is asked for, as it stands within a sentence: "the jobs". */
  what: string;
  /** Why there is no answer; null while it is asked for. */
  error: Error | null;
  onRetry: () => void;
  isRetrying: boolean;
  /** Lines of the placeholder, and their height in pixels: as tall as what comes. */
  rows: number;
  height?: number;
}

/** What stands in for an answer that isn't there yet: a placeholder of its size, or why there is none, whether data is safe and what to do. */
export function NotYet({ what, error, onRetry, isRetrying, rows, height = 20 }: NotYetProps) {
  if (error === null) return <Loading rows={rows} height={height} label={`Loading ${what}`} />;
  return (
    <Failure
      what={`${what.charAt(0).toUpperCase()}${what.slice(1)} could not be loaded`}
      why={error.message}
      advice={adviceOn(error)}
      onRetry={onRetry}
      retrying={isRetrying}
    />
  );
}
