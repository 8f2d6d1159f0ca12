/**
 * Why an address cannot be listened on, in one sentence with the remedy.
 * @param setBy what names the port, as in `--port`
 */
export function listenFailure(
  error: NodeJS.ErrnoException,
  { host, port, setBy }: { readonly host: string; readonly port: number; readonly setBy: string },
): Error {
  const message =
    error.code === 'EADDRINUSE'
      ? `port ${port} on ${host} is taken: choose another with ${setBy}`
      : `cannot listen on ${host}:${port}: ${error.message}`;
  return new Error(message, { cause: error });
}

/** What names the port of a scheduler. */
export const SCHEDULER_PORT = 'FORESAIL_PORT or --port';
