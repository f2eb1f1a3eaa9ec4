/**
 * Runs an attempt that is no longer waited for once it is aborted or its time is up, even if it never returns.
 *
 * @param controller aborted when the time is up
 * @param onTimeout makes the reason for that
 * @throws the reason of the abort, whatever the attempt makes of it, or else what `work` throws
 */
export async function settledWithin(
  timeoutMs: number,
  controller: AbortController,
  onTimeout: () => Error,
  work: () => Promise<void>,
): Promise<void> {
  const { signal } = controller;
  signal.throwIfAborted();
  const timer = setTimeout(() => controller.abort(onTimeout()), timeoutMs);
  try {
    await Promise.race([work(), rejectWhenAborted(signal)]);
  } catch (error) {
    // What a handler says when it is aborted is not why.
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const rejectWithReason = () => reject(signal.reason as Error);
    // Work may abort its own attempt before it first waits.
    if (signal.aborted) rejectWithReason();
    else signal.addEventListener('abort', rejectWithReason, { once: true });
  });
}
