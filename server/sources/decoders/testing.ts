import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Beside, type Delivery, NOTHING_BESIDE, type Part } from "@/server/domain/mapping/delivery";
import type { MessageType } from "./protobuf";

/** 2026-11-28T12:00:00Z, when deliveries of tests arrive. */
export const ARRIVED = Date.UTC(2026, 10, 28, 12);

/** A delivery for tests: a body, and what came beside it. */
export function deliveryOf(body: string | Uint8Array, beside: Partial<Beside> = {}): Delivery {
  return {
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    arrived: ARRIVED,
    beside: { ...NOTHING_BESIDE, ...beside },
  };
}

/** The tree of a part; fails the test when it couldn't be read. */
export function jsonOf(part: Part): unknown {
  if ("error" in part) throw new Error(`${part.path}: ${part.error}`);
  return part.value.json;
}

const WRITERS: Readonly<Record<string, (writer: BinaryWriter, value: never) => unknown>> = {
  bool: (writer, value) => writer.bool(value),
  bytes: (writer, value) => writer.bytes(value),
  double: (writer, value) => writer.double(value),
  fixed64: (writer, value) => writer.fixed64(value),
  float: (writer, value) => writer.float(value),
  int64: (writer, value) => writer.int64(value),
  sfixed64: (writer, value) => writer.sfixed64(value),
  sint32: (writer, value) => writer.sint32(value),
  string: (writer, value) => writer.string(value),
  uint32: (writer, value) => writer.uint32(value),
  uint64: (writer, value) => writer.uint64(value),
};
const WIRES: Readonly<Record<string, WireType>> = {
  ...{ bytes: WireType.LengthDelimited, string: WireType.LengthDelimited, float: WireType.Bit32 },
  ...{ double: WireType.Bit64, fixed64: WireType.Bit64, sfixed64: WireType.Bit64 },
};

/** Writes a message of protocol buffers, repeated numbers packed. */
export function writeProtobuf(message: object, type: MessageType): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, message, type);
  return writer.finish();
}

function writeMessage(writer: BinaryWriter, message: object, type: MessageType): void {
  for (const [number, field] of Object.entries(type)) {
    const value = (message as Record<string, unknown>)[field.name];
    if (value === undefined) continue;
    const of = field.type;
    if (typeof of === "function")
      for (const each of field.isRepeated ? (value as object[]) : [value as object]) {
        writeMessage(writer.tag(Number(number), WireType.LengthDelimited).fork(), each, of());
        writer.join();
      }
    else if (field.isRepeated && of !== "string") {
      writer.tag(Number(number), WireType.LengthDelimited).fork();
      for (const each of value as never[]) WRITERS[of]!(writer, each);
      writer.join();
    } else
      for (const each of field.isRepeated ? (value as never[]) : [value as never])
        WRITERS[of]!(writer.tag(Number(number), WIRES[of] ?? WireType.Varint), each);
  }
}
