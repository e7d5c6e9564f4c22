/** Matches the controls by which text turns the direction of what stands after it, in lines that aren't its own too (Unicode's embeddings, overrides and isolates). */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Text of somebody else as it may stand on a screen: what would turn the words around it is seen as U+FFFD. Never for what is sent or compared. */
export function readable(text: string): string {
  return text.replace(TURNING, "\ufffd");
}
