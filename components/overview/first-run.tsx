"use client";
import { useIsClient } from "../ui/use-is-client";
import { Copyable, Empty } from "../ui/feedback";
import { Link } from "../ui/link";
import { firstMessage } from "../ui/first-message";

/** The overview before the first message: how to send one, and where to see what is missing. */
export function FirstRun() {
  const isClient = useIsClient();
  return (
    <Empty action={isClient ? <Copyable text={firstMessage()} label="Copy the command" /> : null}>
      No message has come yet. Send one, and it is here within a second. The{" "}
      <Link href="/health#checklist">checklist</Link> shows what is ready and what isn&apos;t.
    </Empty>
  );
}
