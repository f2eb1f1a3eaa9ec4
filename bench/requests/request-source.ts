/** Requests as bytes, made before any clock runs, and what a right answer to each of them is. */
export interface RequestSource {
  /** How many there are; a stretch ends early when they are used up. `Infinity` where they may be sent again. */
  readonly count: number;

  /** A request's bytes for one connection to write into. */
  newRequest(): Buffer;

  /** Makes `request` the one with this number. */
  writeInto(request: Buffer, index: number): void;

  /**
   * Whether this is the right answer to the request with this number.
   *
   * @param head the status line and the headers as they came
   * @param body as Latin-1
   */
  accepts(index: number, status: number, head: string, body: string): boolean;
}
