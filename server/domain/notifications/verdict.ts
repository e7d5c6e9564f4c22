/**
 * What was decided about an event of an alert, one each. Two of them last only until its group is told: grouped, rate-limited.
 * - told: it is in a message. grouped: it waits in its group. rate-limited: it waits, as its channels have been told much.
 * - silenced, maintenance: a silence, or a window, covers the alert. inhibited: the alert of its site is told instead.
 * - acknowledged: somebody has it in hand. no-route: no route takes it. channel-off: all channels of its route are off.
 * - kept: of a kind that is never told, or that its route doesn't tell.
 */
export const VERDICTS = [
  "told",
  "grouped",
  "rate-limited",
  "silenced",
  "maintenance",
  "inhibited",
  "acknowledged",
  "no-route",
  "channel-off",
  "kept",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What became of a message, of which one is made for each channel. */
export const NOTIFICATION_STATES = ["waiting", "sending", "sent", "failed", "given-up", "replaced"] as const;
export type NotificationState = (typeof NOTIFICATION_STATES)[number];
