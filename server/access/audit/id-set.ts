/** A set of whole numbers that mostly follow each other: it needs memory for its gaps alone. */
export class IdSet {
  /** Ends of ranges, both in the set, ascending and apart. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  /** @returns false if it was in the set. */
  add(id: number): boolean {
    const i = this.#at(id);
    if (i >= 0 && id <= this.#to[i]!) return false;
    const joinsBefore = i >= 0 && this.#to[i] === id - 1;
    const joinsAfter = this.#from[i + 1] === id + 1;
    if (joinsBefore && joinsAfter) {
      this.#to[i] = this.#to[i + 1]!;
      this.#from.splice(i + 1, 1);
      this.#to.splice(i + 1, 1);
    } else if (joinsBefore) this.#to[i] = id;
    else if (joinsAfter) this.#from[i + 1] = id;
    else {
      this.#from.splice(i + 1, 0, id);
      this.#to.splice(i + 1, 0, id);
    }
    return true;
  }

  has(id: number): boolean {
    const i = this.#at(id);
    return i >= 0 && id <= this.#to[i]!;
  }

  /** The last range that begins at `id` or before; -1 for none. */
  #at(id: number): number {
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle]! <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
