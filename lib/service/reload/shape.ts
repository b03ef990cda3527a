/**
 * Reading JSON strictly: every value is of the kind that is asked for, or the
 * whole text is refused with the place of the one that is not.
 *
 * @module
 */

/** A value of a JSON text, and where it is. */
export class Shape {
  readonly #value: unknown;
  readonly #place: string;

  /**
   * @param value The value.
   * @param place Where it is, for whoever looks for it.
   */
  constructor(value: unknown, place: string) {
    this.#value = value;
    this.#place = place;
  }

  /** Whether it is there. */
  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  /**
   * Goes to a field of an object.
   *
   * @param name The field.
   * @returns What it holds.
   */
  field(name: string): Shape {
    const place = `${this.#place}.${name}`;
    const { [name]: value } = this.object();
    return new Shape(value, place);
  }

  /** The object. */
  object(): Readonly<Record<string, unknown>> {
    const value = this.#value;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      // Its keys are strings, and nothing is said about what they stand for.
      return value as Record<string, unknown>;
    }
    return this.#refuse("an object");
  }

  /** The elements of a list. */
  list(): Shape[] {
    if (!Array.isArray(this.#value)) return this.#refuse("a list");
    return this.#value.map((value: unknown, index) =>
      new Shape(value, `${this.#place}[${index}]`)
    );
  }

  /** The text. */
  text(): string {
    return typeof this.#value === "string"
      ? this.#value
      : this.#refuse("a text");
  }

  /** The text, or the number, which is finite. */
  textOrNumber(): string | number {
    return typeof this.#value === "string" ? this.#value : this.number();
  }

  /** The boolean. */
  flag(): boolean {
    return typeof this.#value === "boolean"
      ? this.#value
      : this.#refuse("true or false");
  }

  /** The number, which is finite. */
  number(): number {
    return typeof this.#value === "number" && Number.isFinite(this.#value)
      ? this.#value
      : this.#refuse("a number");
  }

  /** The number, which is whole and not negative. */
  count(): number {
    const number = this.number();
    return Number.isSafeInteger(number) && number >= 0
      ? number
      : this.#refuse("a count");
  }

  /** The list of whole numbers, of which there may be many. */
  integers(): number[] {
    const value: unknown = this.#value;
    const isList = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every(Number.isSafeInteger);
    return isList(value) ? value : this.#refuse("a list of whole numbers");
  }

  /** The number of 64 bits, which JSON has as a text. */
  long(): bigint {
    const text = this.text();
    return /^\d{1,20}$/.test(text) ? BigInt(text) : this.#refuse("a number");
  }

  /**
   * Reads it where it is there.
   *
   * @param read How to read it.
   * @returns What `read` returned; `undefined` where it is not there.
   */
  optional<T>(read: (shape: Shape) => T): T | undefined {
    return this.isThere ? read(this) : undefined;
  }

  #refuse(wanted: string): never {
    throw new TypeError(`${this.#place} is not ${wanted}`);
  }
}
