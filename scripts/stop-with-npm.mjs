import { readFileSync } from 'node:fs';

/**
 * Sends ourselves a SIGTERM for the ends that would otherwise be unclean, or no end at all. A closed terminal is a SIGHUP,
 * which Node dies of, under nohup too. A SIGTERM for `npm start` ends npm and the shell between us and never reaches us: we
 * would live on and hold the port, so we watch whether both are still there.
 */
export function stopWithNpm() {
  const before = ancestors();
  const watch = setInterval(() => {
    if (ancestors() !== before) terminate();
  }, 250).unref();
  let told = false;
  const isTold = () => {
    told = true;
    clearInterval(watch);
  };
  const terminate = () => {
    if (!told) process.kill(process.pid, 'SIGTERM');
    isTold();
  };
  if (!process.env.npm_lifecycle_event) clearInterval(watch);
  process.on('SIGHUP', terminate);
  // A signal that reached us takes the others down as well, and is not to be told twice.
  process.once('SIGINT', isTold);
  process.once('SIGTERM', isTold);
}

/** Our parent and, where the system tells, its parent: npm itself or the shell that npm runs scripts with. */
function ancestors() {
  return `${process.ppid} ${parentOf(process.ppid)}`;
}

function parentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')[1];
  } catch {
    return '';
  }
}
