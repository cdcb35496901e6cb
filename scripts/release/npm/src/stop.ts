/** What ends the command without a stack: bad usage (2), or something that is in the way (1). */
export class Stop extends Error {
  readonly code: 1 | 2;

  constructor(message: string, code: 1 | 2 = 1) {
    super(message);
    this.code = code;
  }
}
