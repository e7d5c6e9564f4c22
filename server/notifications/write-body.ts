import type { ChannelKind } from "@/server/domain/notifications/channel";
import type { AlertMessage } from "@/server/domain/notifications/message";

/** Renders a message as channels of a kind send it, without any secret. */
export type WriteBody = (kind: ChannelKind, settings: unknown, message: AlertMessage) => string;
