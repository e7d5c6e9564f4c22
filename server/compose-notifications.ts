import { createAddressCheck } from "./adapters/channels/address-check";
import { openChannel } from "./adapters/channels/open";
import type { Outgoing } from "./adapters/channels/post-json";
import { mqttListener } from "./config/address";
import type { Config } from "./config/config";
import type { OpenedChannel } from "./domain/notifications/channel";
import type { WriteBody } from "./notifications/write-body";
import type { AlertChannel } from "./ports/alert-channel";

/** The longest that one attempt to send may take, in milliseconds. */
const ATTEMPT_MS = 10_000;

export interface ChannelOpening {
  readonly open: (opened: OpenedChannel) => AlertChannel;
  readonly write: WriteBody;
}

/** How channels are opened, and what may be sent to. */
export function composeChannels(config: Pick<Config, "server" | "frontDoor" | "intake" | "access">): ChannelOpening {
  const check = createAddressCheck({
    ownPorts: [config.server.PORT, mqttListener(config).port],
    allowed: config.access.ALLOW_CHANNEL_ADDRESSES,
  });
  const out: Outgoing = { check, timeoutMs: ATTEMPT_MS };
  return {
    open: (opened) => openChannel(opened, out),
    // Nothing that is secret is ever rendered.
    write: (kind, settings, message) =>
      openChannel({ kind, settings, secrets: {} } as OpenedChannel, out).render(message),
  };
}
