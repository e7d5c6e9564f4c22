import { startBridge } from "../mqtt/bridge";
import type { Published } from "../mqtt/durable-queue";
import type { OpenSource } from "../intake";
import type { OpenDoor } from "./door";

export interface BridgeDoorDeps {
  /** @param send publishes to the broker. */
  readonly publish: (
    source: OpenSource,
    batch: readonly Published[],
    send: (topic: string, payload: Uint8Array) => void,
  ) => Promise<void>;
  readonly onTooLarge: (source: OpenSource, topic: string, bytes: number) => void;
  readonly onTrouble: (source: OpenSource, error: unknown) => void;
  readonly onState: () => void;
}

/** Opens the bridge of a source to its broker. */
export function bridgeDoors({ publish, onTooLarge, onTrouble, onState }: BridgeDoorDeps): OpenDoor {
  return (source, current) => {
    const { door, doorSecret } = source;
    if (door.type !== "mqtt-bridge") throw new Error(`${source.name} has no bridge`);
    const bridge = startBridge({
      settings: { ...door, password: doorSecret },
      publish: (batch) => publish(current(), batch, (topic, payload) => bridge.send(topic, payload)),
      onTooLarge: (topic, bytes) => onTooLarge(current(), topic, bytes),
      onTrouble: (error) => onTrouble(current(), error),
      ...{ onState, now: Date.now },
    });
    return {
      state() {
        const { trouble } = bridge.state();
        const fix =
          trouble === null
            ? null
            : "It is tried again by itself. Check the address, the user and the password in the source's settings.";
        return { what: `bridge to ${door.url}`, trouble, fix, clients: null, lag: null };
      },
      stop: (withinMs) => bridge.stop(withinMs),
    };
  };
}
