import { type Decoder, UnreadableError, whole } from "./decoder";

/** Values in the address, as senders do that can only fetch a page (`?temperature=21.5`); the body is not looked at. */
export const decodeQuery: Decoder = ({ beside }) => {
  if (Object.keys(beside.query).length === 0) throw new UnreadableError("the address has no values (?name=value)");
  return whole({ json: beside.query, tokens: new Map() });
};
