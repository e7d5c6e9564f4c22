import { type Decoder, whole } from "./decoder";

/** Bytes nobody here reads: kept as one leaf, in base64, so that the payload stays in the message. */
export const decodeBinary: Decoder = ({ body }) =>
  whole({ json: { base64: Buffer.from(body).toString("base64") }, tokens: new Map() });
