import { connect, createServer, type Socket } from "node:net";
import pino from "pino";
import type { EventLog } from "@/server/ports/event-log";
import type { KafkaSettings } from "./client";
import { createKafkaEventLog } from "./event-log";
import type { ConsumerTimes } from "./event-log/membership";

/** A log on Kafka for tests, with a door between it and every broker. */
export interface TestLog {
  readonly log: EventLog;
  /** Shuts the door, which ends its connections as a dying process would. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Lets nothing more through on the connections there are, without ending them: a network that has forgotten them. */
  stall(): void;
}

function settingsOf(brokers: string): KafkaSettings {
  return {
    KAFKA_BROKERS: brokers.split(","),
    KAFKA_SSL: false,
    KAFKA_SSL_CA_FILE: undefined,
    KAFKA_SASL_MECHANISM: undefined,
    KAFKA_SASL_USERNAME: undefined,
    KAFKA_SASL_PASSWORD: undefined,
  };
}

/** Opens the log through a door of its own. Kafka tells its own address, so the door is where the client's sockets lead. */
export async function openTestLog(brokers: string, times: Partial<ConsumerTimes> = {}): Promise<TestLog> {
  const sockets = new Set<Socket>();
  let shut = false;
  const door = createServer((inner) => {
    if (shut) return void inner.destroy();
    // Read from the beginning: the door would never close on a connection that says nothing.
    sockets.add(inner);
    inner.on("close", () => sockets.delete(inner));
    // The first line names the broker.
    inner.once("readable", () => {
      const [host, port] = (inner.read(64) as Buffer | null)?.toString().trim().split(" ") ?? [];
      if (host === undefined) return void inner.destroy();
      const outer = connect({ host, port: Number(port) });
      for (const [socket, other] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    inner.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const { port: doorPort } = door.address() as { port: number };
  const log = createKafkaEventLog({
    settings: settingsOf(brokers),
    role: "test",
    logger: pino({ level: "silent" }),
    times,
    connect({ host, port, onConnect }) {
      const socket = connect({ host: "127.0.0.1", port: doorPort }, onConnect);
      // Attached at once: kafkajs may write to a socket that isn't connected yet, and this must come first.
      socket.write(`${host} ${port}`.padEnd(64));
      return socket;
    },
  });
  return {
    log: {
      ...log,
      async close() {
        await log.close();
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => door.close(resolve));
      },
    },
    async cut() {
      shut = true;
      for (const socket of sockets) socket.destroy();
    },
    async restore() {
      shut = false;
    },
    stall() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
