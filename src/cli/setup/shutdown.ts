import type { CliIo } from '../command.ts';

/** Exit code of a command that was asked to stop. */
const STOPPED = 130;

/** Work that ends early when its signal is aborted. */
export type StoppableWork = (signal: AbortSignal) => Promise<number>;

/**
 * Runs the work of a command until it ends or a signal stops it (Ctrl-C, SIGTERM).
 *
 * @param resumeHint returns the command that continues the stopped work.
 * @returns the work's exit code, or 130 when it was stopped.
 */
export async function withShutdownSignal(
  io: CliIo,
  resumeHint: () => string,
  work: StoppableWork,
): Promise<number> {
  const controller = new AbortController();
  let stoppedBy = '';
  const waiting = async (): Promise<void> => {
    stoppedBy = await io.stopped();
    controller.abort();
  };
  void waiting();
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    io.err(`Stopped by ${stoppedBy}.\nTo go on: ${resumeHint()}\n`);
    return STOPPED;
  }
}
