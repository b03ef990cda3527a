/**
 * What a Postfix program sends with a connection that it passes on: a byte
 * that carries the descriptor, then attributes of the client, each a name and
 * a value with a zero byte behind either; one more zero byte is the end.
 *
 * @module
 */

/** More than Postfix sends: a host's address, its port and the server's. */
const BYTES_MAX = 4096;

/** How far the attributes have come. */
export type AttributesState = "incomplete" | "complete" | "wrong";

/**
 * Finds where the attributes end. Nothing in them is of use to a command: it
 * has the connection itself.
 */
export class PassedAttributes {
  #bytes = 0;
  #wordBytes = 0;
  #isName = true;

  /**
   * Takes what has arrived.
   *
   * @param data The bytes.
   * @returns Whether that was all of it.
   */
  add(data: Uint8Array): AttributesState {
    for (const byte of data) {
      this.#bytes++;
      if (this.#bytes === 1) continue;
      if (this.#bytes > BYTES_MAX) return "wrong";
      if (byte !== 0) {
        this.#wordBytes++;
        continue;
      }
      if (this.#isName && this.#wordBytes === 0) return "complete";
      this.#isName = !this.#isName;
      this.#wordBytes = 0;
    }
    return "incomplete";
  }
}
