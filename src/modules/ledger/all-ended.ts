/**
 * Waits until every statement has ended, whatever became of it: none may still be on its way when its transaction is
 * rolled back and the connection goes to somebody else.
 *
 * @param statements in the order they were sent: the first that failed is why the others did
 * @returns their results
 * @throws what the first of them that failed threw
 */
export async function allEnded<Statements extends readonly unknown[]>(
  statements: readonly [...Statements],
): Promise<{ -readonly [Index in keyof Statements]: Awaited<Statements[Index]> }> {
  const ended = await Promise.allSettled(statements);
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return Promise.all(statements);
}
