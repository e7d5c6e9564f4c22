import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const BOOLEAN = 11;

/** The payload of the command by which a node is asked for its birth certificates (Sparkplug B, NCMD). */
export function rebirthRequest(at: number): Uint8Array {
  const time = String(at);
  const metric = new BinaryWriter();
  metric.tag(1, WireType.LengthDelimited).string("Node Control/Rebirth");
  metric.tag(3, WireType.Varint).uint64(time);
  metric.tag(4, WireType.Varint).uint32(BOOLEAN);
  metric.tag(14, WireType.Varint).bool(true);
  const payload = new BinaryWriter();
  payload.tag(1, WireType.Varint).uint64(time);
  payload.tag(2, WireType.LengthDelimited).bytes(metric.finish());
  return payload.finish();
}
