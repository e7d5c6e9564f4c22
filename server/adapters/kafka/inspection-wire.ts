/** Writes the body of a request in Kafka's encoding. */
export class WireWriter {
  private readonly parts: Buffer[] = [];

  int8(value: number): this {
    return this.add(1, (bytes) => bytes.writeInt8(value));
  }
  int16(value: number): this {
    return this.add(2, (bytes) => bytes.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.add(4, (bytes) => bytes.writeInt32BE(value));
  }
  int64(value: number): this {
    return this.add(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)));
  }
  string(value: string | null): this {
    return value === null ? this.int16(-1) : this.int16(Buffer.byteLength(value)).raw(Buffer.from(value));
  }
  bytes(value: Buffer): this {
    return this.int32(value.byteLength).raw(value);
  }
  array<T>(values: readonly T[], write: (value: T) => void): this {
    this.int32(values.length);
    values.forEach(write);
    return this;
  }
  /** A string of the newer, flexible versions. */
  compactString(value: string): this {
    return this.varint(Buffer.byteLength(value) + 1).raw(Buffer.from(value));
  }
  compactArray<T>(values: readonly T[], write: (value: T) => void): this {
    this.varint(values.length + 1);
    values.forEach(write);
    return this;
  }
  /** Base 128, low bits first. */
  private varint(value: number): this {
    for (; value >= 0x80; value >>>= 7) this.raw(Buffer.of((value & 0x7f) | 0x80));
    return this.raw(Buffer.of(value));
  }
  /** The end of a structure of the flexible versions: no tagged fields. */
  noTags(): this {
    return this.int8(0);
  }
  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }
  done(): Buffer {
    return Buffer.concat(this.parts);
  }

  private add(size: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.alloc(size);
    write(bytes);
    return this.raw(bytes);
  }
}

/** Reads the body of an answer. @throws RangeError where it ends too early: it isn't Kafka's, or of another version. */
export class WireReader {
  private at = 0;
  constructor(private readonly bytes_: Buffer) {}

  get left(): number {
    return this.bytes_.byteLength - this.at;
  }
  int8(): number {
    return this.bytes_.readInt8(this.step(1));
  }
  boolean(): boolean {
    return this.int8() !== 0;
  }
  int16(): number {
    return this.bytes_.readInt16BE(this.step(2));
  }
  int32(): number {
    return this.bytes_.readInt32BE(this.step(4));
  }
  int64(): number {
    return Number(this.bytes_.readBigInt64BE(this.step(8)));
  }
  string(): string | null {
    const size = this.int16();
    return size < 0 ? null : this.take(size).toString();
  }
  bytes(): Buffer {
    return this.take(Math.max(0, this.int32()));
  }
  array<T>(read: () => T): T[] {
    return this.times(Math.max(0, this.int32()), read);
  }
  /** Base 128, low bits first, as lengths in the flexible versions are. */
  varint(): number {
    for (let shift = 0, value = 0; ; shift += 7) {
      const byte = this.bytes_.readUInt8(this.step(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      if (shift > 28) throw new RangeError("a length without an end");
    }
  }
  compactString(): string {
    return this.take(Math.max(0, this.varint() - 1)).toString();
  }
  compactArray<T>(read: () => T): T[] {
    return this.times(Math.max(0, this.varint() - 1), read);
  }
  /** Reads an id in Kafka's own spelling of 22 letters; null when it is all zeros, which means none. */
  uuid(): string | null {
    const bytes = this.take(16);
    return bytes.every((byte) => byte === 0) ? null : bytes.toString("base64url");
  }
  /** Tagged fields, by their number. */
  tags(): Map<number, WireReader> {
    const found = new Map<number, WireReader>();
    for (let count = this.varint(); count > 0; count--) {
      const tag = this.varint();
      found.set(tag, new WireReader(this.take(this.varint())));
    }
    return found;
  }

  private times<T>(count: number, read: () => T): T[] {
    // Every element has at least a byte: a length beyond that is no length.
    if (count > this.left) throw new RangeError("a length beyond the end");
    return Array.from({ length: count }, read);
  }
  private take(size: number): Buffer {
    const start = this.step(size);
    return this.bytes_.subarray(start, start + size);
  }
  private step(size: number): number {
    if (size > this.left) throw new RangeError("ends too early");
    const start = this.at;
    this.at += size;
    return start;
  }
}
