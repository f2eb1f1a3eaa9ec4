/** What was asked for, for people or the next program: standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What is worth knowing beside it: standard error, so that it gets into nobody's pipe. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Overwrites its line on a terminal; silent anywhere else. An empty text clears the line. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
}
