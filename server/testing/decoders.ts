/** All decoders, for tests of what is given them by the program. */
export { DECODER_OF } from "@/server/sources/decoders/decoders";
