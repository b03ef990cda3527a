/**
 * What a process says, line by line.
 *
 * @module
 */

/** Reads lines as they come. */
export class LineReader {
  readonly #output: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(output: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#output = output.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits for the next line; `undefined` if there is none to come. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      const { done, value } = await this.#output.read();
      if (done) return undefined;
      this.#rest += value;
    }
  }

  /** Waits for all that is left. */
  async toEnd(): Promise<string> {
    let text = this.#rest;
    this.#rest = "";
    for (;;) {
      const { done, value } = await this.#output.read();
      if (done) return text;
      text += value;
    }
  }

  /** Reads no more. */
  async cancel(): Promise<void> {
    await this.#output.cancel();
  }
}
