interface Blank {
  /** Where in the request. */
  at: number;
  bytes: number;
}

/**
 * Requests that differ in a few places only, always by as many bytes. What goes into the blanks is kept for all of them,
 * 50 to 100 bytes a request; each connection has one request's bytes and writes them in.
 */
export class RequestForm {
  private readonly form: Buffer;
  private readonly blanks: readonly Blank[];
  private readonly bytesEach: number;
  private readonly values: Buffer;

  /**
   * @param form with each of `blanks` in it once
   * @param values of a request, one for each blank, as long as it
   */
  constructor(
    form: string,
    blanks: readonly string[],
    readonly count: number,
    values: (index: number) => readonly string[],
  ) {
    this.form = Buffer.from(form, 'latin1');
    this.blanks = blanks.map((blank) => ({ at: this.form.indexOf(blank, 0, 'latin1'), bytes: blank.length }));
    if (this.blanks.some(({ at }) => at === -1)) throw new Error('A blank is not in the form');
    this.bytesEach = this.blanks.reduce((sum, { bytes }) => sum + bytes, 0);
    this.values = Buffer.allocUnsafe(count * this.bytesEach);
    for (let index = 0; index < count; index++) this.fill(index, values(index));
  }

  newRequest(): Buffer {
    return Buffer.from(this.form);
  }

  writeInto(request: Buffer, index: number): void {
    let from = index * this.bytesEach;
    for (const { at, bytes } of this.blanks) this.values.copy(request, at, from, (from += bytes));
  }

  private fill(index: number, values: readonly string[]): void {
    let at = index * this.bytesEach;
    this.blanks.forEach(({ bytes }, blank) => {
      const written = this.values.write(values[blank] ?? '', at, 'latin1');
      if (written !== bytes) throw new Error(`"${values[blank]}" does not fill a blank of ${bytes} bytes`);
      at += bytes;
    });
  }
}
