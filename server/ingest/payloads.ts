import { arrayElements, isBlank, isSpace } from "./array-elements";

/** The messages of one request, each as its own bytes: so nothing of it (numbers beyond a double, say) is changed by writing it anew. */
export interface Payloads {
  readonly each: Iterable<Uint8Array>;
  /** One that isn't JSON spoils all: where the others begin and end can't be trusted then. */
  readonly asOne: boolean;
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const OPEN_ARRAY = 0x5b;

/** The messages of an NDJSON body: each line that isn't blank. */
export function ndjsonPayloads(body: Buffer): Payloads {
  return { each: lines(body), asOne: false };
}

/** The messages of a JSON body: the one it is, or each of an array. */
export function jsonPayloads(body: Buffer): Payloads {
  const json = body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body;
  const first = json.findIndex((byte) => !isSpace(byte));
  if (first === -1) return { each: [], asOne: true };
  return { each: json[first] === OPEN_ARRAY ? arrayElements(json) : [body], asOne: true };
}

function* lines(body: Buffer): Generator<Uint8Array> {
  for (let start = 0; start < body.length;) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end > start && body[end - 1] === 0x0d ? end - 1 : end);
    start = end + 1;
    if (!isBlank(line)) yield line;
  }
}
