/**
 * Waits for `work`, but not longer.
 *
 * @returns undefined when it takes longer: then it goes on, and what it throws later is nobody's concern any more
 * @throws what `work` throws in time
 */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  work.catch(() => undefined);
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
