/** What a program was given is wrong, a setting or a file: a repeat cannot help. */
export class InputError extends Error {}
