import type { CliIo } from './command.ts';

/** Exit code of a command that was asked to stop. */
const STOPPED = 130;

/** Work that ends early when its signal says so. */
export type StoppableWork = (signal: AbortSignal) => Promise<number>;

/**
 * Does the work of a command until it is done or somebody asks to stop (Ctrl-C, SIGTERM).
 *
 * @param howToGoOn what to type to go on, asked when it was stopped.
 * @returns the work's exit code, or 130 when it was stopped.
 */
export async function untilStopped(io: CliIo, howToGoOn: () => string, work: StoppableWork): Promise<number> {
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
    io.err(`Stopped by ${stoppedBy}.\nTo go on: ${howToGoOn()}\n`);
    return STOPPED;
  }
}
