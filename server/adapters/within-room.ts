import type { EventLog } from "@/server/ports/event-log";

/**
 * An event log whose `topic` is written and handled only while there is room on the disk that this takes: `room` throws when there
 * isn't. What the log holds waits there, and every door tells its senders to come again.
 */
export function withinRoom(
  log: EventLog,
  topic: string,
  room: { readonly toAppend: () => Promise<void>; readonly toHandle: () => Promise<void> },
): EventLog {
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    describe: (name, group) => log.describe(name, group),
    close: () => log.close(),
    async append(name, records, before) {
      if (name === topic) await room.toAppend();
      return log.append(name, records, before);
    },
    consume: (subscription) =>
      log.consume({
        ...subscription,
        async onBatch(batch, signal) {
          if (subscription.topic === topic) await room.toHandle();
          return subscription.onBatch(batch, signal);
        },
      }),
  };
}
