/** Readings of the same thing that overlap: one that began earlier and ends later must not take back what a later one has found. */
export class Readings {
  private begun = 0;
  private newest = 0;

  /** @returns to be asked once it has been read: whether this is to be shown */
  begin(): () => boolean {
    const reading = ++this.begun;
    return () => {
      if (reading < this.newest) return false;
      this.newest = reading;
      return true;
    };
  }
}
