/**
 * Waiting for many descriptors at once, epoll(7), on two threads: a call that
 * returns at once or within a few milliseconds runs on the main thread; a
 * call that may sleep for long runs on a thread of the runtime's pool, and the
 * event loop stays free for timers and signals.
 *
 * @module
 */

import { checked, EINTR, errno, lastError } from "./errno.ts";
import type { Libc } from "./libc.ts";

// sys/epoll.h
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 0x001;
const EPOLLONESHOT = 1 << 30;
const EPOLLET = 1 << 31;

// sys/eventfd.h
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** Descriptors taken from the kernel in one call at the most. */
const EVENTS_MAX = 64;

const WORD_BYTES = 4;

/** A set of descriptors watched for readability. */
export class Epoll {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #wakeFd: number;
  readonly #events: Uint8Array<ArrayBuffer>;
  /** The same in 32-bit words, of which every known layout is made. */
  readonly #eventsWords: Int32Array;
  readonly #eventWords: number;
  readonly #dataWord: number;
  readonly #change: Uint8Array<ArrayBuffer>;
  readonly #changeWords: Int32Array;
  readonly #counter = new Uint8Array(8);
  /** The descriptors that the last wait found readable; the first `count` count. */
  readonly ready: Int32Array = new Int32Array(EVENTS_MAX);

  /**
   * @param libc The C library.
   * @throws {SystemError} If the kernel gives no descriptor for it.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    const { sizeBytes, dataOffset } = libc.abi.epollEvent;
    this.#events = new Uint8Array(sizeBytes * EVENTS_MAX);
    this.#eventsWords = new Int32Array(this.#events.buffer);
    this.#eventWords = sizeBytes / WORD_BYTES;
    this.#dataWord = dataOffset / WORD_BYTES;
    this.#change = new Uint8Array(sizeBytes);
    this.#changeWords = new Int32Array(this.#change.buffer);
    this.#fd = checked(
      libc,
      "epoll_create1",
      libc.c.epoll_create1(EPOLL_CLOEXEC),
    );
    this.#wakeFd = checked(
      libc,
      "eventfd",
      libc.c.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    );
    this.add(this.#wakeFd);
  }

  /**
   * Takes a descriptor into the set.
   *
   * @param fd The descriptor.
   * @param watched Whether to watch it from now on.
   * @throws {SystemError} If the kernel refuses, for want of memory say.
   */
  add(fd: number, watched = true): void {
    checked(
      this.#libc,
      "epoll_ctl",
      this.#control(EPOLL_CTL_ADD, fd, watched ? EPOLLIN : 0),
    );
  }

  /**
   * Begins or ends to watch a descriptor of the set, which keeps its place in
   * it: this asks for no memory and so cannot fail.
   *
   * @param fd The descriptor.
   * @param watched Whether to watch it from now on.
   */
  watch(fd: number, watched: boolean): void {
    this.#control(EPOLL_CTL_MOD, fd, watched ? EPOLLIN : 0);
  }

  /**
   * Takes a descriptor into the set until it has been found readable. From then
   * on it may be closed without {@linkcode remove}, as it reports no more.
   *
   * @param fd The descriptor.
   * @throws {SystemError} If the kernel refuses, for want of memory say.
   */
  addOnce(fd: number): void {
    checked(
      this.#libc,
      "epoll_ctl",
      this.#control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT),
    );
  }

  /**
   * Takes a descriptor into the set that is to be found readable each time that
   * something more has come, also when what came before was left there.
   *
   * @param fd The descriptor.
   * @throws {SystemError} If the kernel refuses, for want of memory say.
   */
  addChanging(fd: number): void {
    checked(
      this.#libc,
      "epoll_ctl",
      this.#control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET),
    );
  }

  /**
   * Takes a descriptor out of the set. To be called before the descriptor is closed: a child that
   * was just started holds copies of the daemon's descriptors until the kernel
   * closes them on exec, and until then a closed descriptor that was never
   * taken out of the set goes on reporting.
   *
   * @param fd The descriptor.
   */
  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd, 0);
  }

  /**
   * Waits on the main thread, which stands still for that long.
   *
   * @param timeoutMs Milliseconds, 0 to look only.
   * @returns How many entries of {@linkcode ready} are set.
   * @throws {SystemError} If the wait fails, which only a bug can cause.
   */
  waitHere(timeoutMs: number): number {
    const count = this.#libc.c.epoll_wait(
      this.#fd,
      this.#events,
      EVENTS_MAX,
      timeoutMs,
    );
    if (count >= 0) return this.#collect(count);
    if (errno(this.#libc) === EINTR) return 0;
    throw lastError(this.#libc, "epoll_wait");
  }

  /**
   * Waits on another thread.
   *
   * @param timeoutMs Milliseconds; -1 for as long as it takes.
   * @returns How many entries of {@linkcode ready} are set; 0 after a signal.
   */
  async waitElsewhere(timeoutMs = -1): Promise<number> {
    const count = await this.#libc.c.epoll_wait_elsewhere(
      this.#fd,
      this.#events,
      EVENTS_MAX,
      timeoutMs,
    );
    // errno belongs to the other thread. A lasting failure is asked for here.
    return count >= 0 ? this.#collect(count) : this.waitHere(0);
  }

  /** Ends a wait that runs elsewhere, now or as soon as it begins. */
  wake(): void {
    this.#counter.fill(0);
    this.#counter[0] = 1;
    this.#libc.c.write(this.#wakeFd, this.#counter, 8n);
  }

  #control(operation: number, fd: number, mask: number): number {
    this.#changeWords[0] = mask;
    this.#changeWords[this.#dataWord] = fd;
    return this.#libc.c.epoll_ctl(this.#fd, operation, fd, this.#change);
  }

  #collect(count: number): number {
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const word = this.#eventWords * index + this.#dataWord;
      const fd = this.#eventsWords[word] ?? -1;
      if (fd === this.#wakeFd) {
        this.#libc.c.read(this.#wakeFd, this.#counter, 8n);
      } else {
        this.ready[kept++] = fd;
      }
    }
    return kept;
  }
}
