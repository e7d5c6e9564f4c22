import { afterAll, vi } from "vitest";

// Files that share a worker share its globals: what one has stubbed is not to be the next one's.
afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});
