/**
 * Waits until every statement has ended, whatever became of it: none may still be on its way when its transaction is
 * rolled back and the connection goes to somebody else.
 *
 * @param statements in the order they were sent
 * @returns their results
 * @throws what the first of them threw that failed for a reason of its own
 */
export async function allEnded<Statements extends readonly unknown[]>(
  statements: readonly [...Statements],
): Promise<{ -readonly [Index in keyof Statements]: Awaited<Statements[Index]> }> {
  const ended = await Promise.allSettled(statements);
  const reasons: unknown[] = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !isAborted(reason)) ?? reasons[0];
  return Promise.all(statements);
}

/** 25P02: refused because another statement of the transaction had failed before. */
function isAborted(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === '25P02';
}
