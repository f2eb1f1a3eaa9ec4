/**
 * Makes something at most once in so many milliseconds, however often it is asked for: who asks meanwhile is given the
 * one that is being made, or the last. What failed is not kept.
 */
export function atMostEvery<T>(ms: number, make: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let isMaking = false;
  let madeAt = 0;
  return () => {
    if (last !== undefined && (isMaking || performance.now() - madeAt < ms)) return last;
    isMaking = true;
    madeAt = performance.now();
    const made = make();
    last = made;
    made.catch(() => (last = undefined)).finally(() => (isMaking = false));
    return made;
  };
}
