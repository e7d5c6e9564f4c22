import { afterEach } from "vitest";
import { openPages } from "./stage";

// Adds to the error of a journey that fails what could be read on its pages then.
afterEach(async ({ task }) => {
  const [error] = task.result?.errors ?? [];
  if (error === undefined) return;
  for (const page of openPages) {
    const text = await page.innerText("body", { timeout: 5000 }).catch(String);
    error.message += `\nThe page was ${page.url()} and said:\n${text.replace(/\s+/g, " ").slice(0, 3000)}`;
  }
  error.stack = `${error.message}\n${error.stack ?? ""}`;
});
