import { type Decoder, readTree, textOf, whole } from "./decoder";

/** JSON of any shape, whatever its content type says. */
export const decodeJson: Decoder = (delivery) => whole(readTree(textOf(delivery)));
