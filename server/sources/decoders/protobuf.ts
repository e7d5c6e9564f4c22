import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { DECODE_LIMITS, TooManyError, UnreadableError } from "./decoder";

/** Fields of a message by their numbers; those that aren't named are skipped. */
export type MessageType = Readonly<Record<number, Field>>;

/** What a field is; a message's type is a function, as types may hold themselves. */
export interface Field {
  readonly name: string;
  readonly type: keyof typeof SCALARS | (() => MessageType);
  readonly isRepeated: boolean;
}

type Message = Record<string, unknown>;

/** 64-bit integers become text in decimal, as protobuf's own JSON has them: no digit is lost. */
const SCALARS = {
  bool: (reader: BinaryReader) => reader.bool(),
  bytes: (reader: BinaryReader) => reader.bytes(),
  double: (reader: BinaryReader) => reader.double(),
  fixed64: (reader: BinaryReader) => String(reader.fixed64()),
  float: (reader: BinaryReader) => reader.float(),
  int64: (reader: BinaryReader) => String(reader.int64()),
  sfixed64: (reader: BinaryReader) => String(reader.sfixed64()),
  sint32: (reader: BinaryReader) => reader.sint32(),
  string: (reader: BinaryReader) => reader.string(true),
  uint32: (reader: BinaryReader) => reader.uint32(),
  uint64: (reader: BinaryReader) => String(reader.uint64()),
};

/** The wire types of what isn't read by its length. */
const WIRE: Readonly<Partial<Record<keyof typeof SCALARS, WireType>>> = {
  ...{ bool: WireType.Varint, int64: WireType.Varint, sint32: WireType.Varint, uint32: WireType.Varint },
  ...{ uint64: WireType.Varint, float: WireType.Bit32 },
  ...{ double: WireType.Bit64, fixed64: WireType.Bit64, sfixed64: WireType.Bit64 },
};

/** The most fields of one payload, as each empty message of two bytes becomes an object. */
const MOST_FIELDS = 20 * DECODE_LIMITS.parts;

export function one(name: string, type: Field["type"]): Field {
  return { name, type, isRepeated: false };
}

export function many(name: string, type: Field["type"]): Field {
  return { name, type, isRepeated: true };
}

/** Reads a message of protocol buffers as an object of the fields it has. @throws UnreadableError */
export function readProtobuf(bytes: Uint8Array, type: MessageType): Message {
  const reader = new BinaryReader(bytes);
  let left = MOST_FIELDS;

  function readMessage(of: MessageType, end: number, depth: number): Message {
    if (depth === 0) throw new UnreadableError(`it is nested more than ${DECODE_LIMITS.depth} deep`);
    const message: Message = {};
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      const field = of[number];
      if (--left < 0) throw new TooManyError(`it has more than ${MOST_FIELDS} fields; send less at once`);
      if (field === undefined) reader.skip(wire, number);
      else readField(message, field, wire, depth);
    }
    if (reader.pos > end) throw new UnreadableError("a field reaches past the end of its message");
    return message;
  }

  function readField(message: Message, field: Field, wire: WireType, depth: number): void {
    const { name, type, isRepeated } = field;
    const expected = typeof type === "function" ? undefined : WIRE[type];
    if (isRepeated && expected !== undefined && wire === WireType.LengthDelimited) {
      const end = lengthEnd();
      const list = listOf(message, name);
      while (reader.pos < end && --left >= 0) list.push(readScalar(type as keyof typeof SCALARS));
      return;
    }
    if (wire !== (expected ?? WireType.LengthDelimited)) throw new UnreadableError(`field ${name} is of another type`);
    const value = typeof type === "function" ? readMessage(type(), lengthEnd(), depth - 1) : readScalar(type);
    if (isRepeated) listOf(message, name).push(value);
    else message[name] = value;
  }

  function readScalar(type: keyof typeof SCALARS): unknown {
    return SCALARS[type](reader);
  }

  function lengthEnd(): number {
    const length = reader.uint32();
    return reader.pos + length;
  }

  try {
    return readMessage(type, bytes.byteLength, DECODE_LIMITS.depth);
  } catch (error) {
    if (error instanceof UnreadableError) throw error;
    throw new UnreadableError(`it is not protobuf of this kind: ${(error as Error).message.slice(0, 200)}`);
  }
}

function listOf(message: Message, name: string): unknown[] {
  return (message[name] ??= []) as unknown[];
}
