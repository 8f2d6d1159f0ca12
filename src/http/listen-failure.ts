/** Why an address cannot be listened on, in one sentence with the remedy. */
export function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const taken = error.code === 'EADDRINUSE';
  const hint = 'choose another with FORESAIL_PORT or --port';
  const message = taken
    ? `port ${port} on ${host} is taken: ${hint}`
    : `cannot listen on ${host}:${port}: ${error.message}`;
  return new Error(message, { cause: error });
}
