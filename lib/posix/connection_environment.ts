/**
 * What a command's environment says of its connection, as other servers have
 * taught commands to expect it.
 *
 * The words lie in C memory, with room for the longest value of each, and one
 * piece of it belongs to each slot: a child reads its environment there until
 * exec, while the next one is being written elsewhere. The C library writes
 * addresses there as text, so that nothing is made for a connection.
 *
 * @module
 */

import { inCMemory, stringInCMemory } from "./c_memory.ts";
import { cString, type Libc } from "./libc.ts";
import { peerProcess, RawAddress, socketNameInto } from "./sockets.ts";

/** Whose variables a command can have. */
export const CONNECTION_ENVIRONMENTS = [
  "none",
  "ucspi",
  "systemd",
  "inetd",
] as const;

/** Whose variables a command has. */
export type ConnectionEnvironment = typeof CONNECTION_ENVIRONMENTS[number];

/** What is known of a connection. */
export interface Caller {
  /** The address of its other end. */
  address: RawAddress;
  /**
   * The socket that it was accepted from, which keeps its descriptor as long as
   * there are commands to tell; -1 where that is not known.
   */
  listening: number;
  /** How many connections of the same client there are, this one included. */
  count: number;
}

// netdb.h
const NI_NUMERICHOST = 1;
const NI_NUMERICSERV = 2;
const NUMERIC = NI_NUMERICHOST | NI_NUMERICSERV;

/** INET6_ADDRSTRLEN (netinet/in.h), a percent sign, IF_NAMESIZE (net/if.h). */
const HOST_BYTES = 46 + 1 + 16;
/** `65535` and a zero byte, and what fills it up. */
const PORT_BYTES = 8;
/** An id of 32 bits and a zero byte, and what fills it up. */
const NUMBER_BYTES = 16;

/** What a variable tells. */
type Fact =
  | "localHost"
  | "localPort"
  | "remoteHost"
  | "remotePort"
  | "count"
  | "uid"
  | "gid"
  | "pid";

const FACT_BYTES: Readonly<Record<Fact, number>> = {
  localHost: HOST_BYTES,
  localPort: PORT_BYTES,
  remoteHost: HOST_BYTES,
  remotePort: PORT_BYTES,
  count: NUMBER_BYTES,
  uid: NUMBER_BYTES,
  gid: NUMBER_BYTES,
  pid: NUMBER_BYTES,
};

/** Variables by what they tell; a text is the same for each connection. */
interface Variables {
  readonly facts: readonly (readonly [name: string, fact: Fact])[];
  readonly texts: readonly string[];
}

const NOTHING: Variables = { facts: [], texts: [] };

/** By the family of the connection's address. */
const VARIABLES: Readonly<
  Record<
    Exclude<ConnectionEnvironment, "none">,
    { readonly inet: Variables; readonly unix: Variables }
  >
> = {
  // tcp-environ(5) of ucspi-tcp, and what s6 has for unix sockets.
  ucspi: {
    inet: {
      texts: ["PROTO=TCP"],
      facts: [
        ["TCPLOCALIP", "localHost"],
        ["TCPLOCALPORT", "localPort"],
        ["TCPREMOTEIP", "remoteHost"],
        ["TCPREMOTEPORT", "remotePort"],
        ["TCPCONNNUM", "count"],
      ],
    },
    unix: {
      texts: ["PROTO=IPC"],
      facts: [
        ["IPCREMOTEEUID", "uid"],
        ["IPCREMOTEEGID", "gid"],
        ["IPCREMOTEPID", "pid"],
      ],
    },
  },
  // systemd.exec(5)
  systemd: {
    inet: {
      texts: [],
      facts: [["REMOTE_ADDR", "remoteHost"], ["REMOTE_PORT", "remotePort"]],
    },
    unix: NOTHING,
  },
  // xinetd(8)
  inetd: {
    inet: { texts: [], facts: [["REMOTE_HOST", "remoteHost"]] },
    unix: NOTHING,
  },
};

/**
 * The environment of the commands of one slot.
 */
export class EnvironmentArea {
  /** The vector, as execve(2) takes it. */
  readonly vector: bigint;
  readonly #libc: Libc;
  /** Where the value of each fact is. */
  readonly #places: ReadonlyMap<Fact, bigint>;
  readonly #hasLocal: boolean;
  readonly #hasRemote: boolean;
  readonly #remoteHost: bigint;
  readonly #remotePort: bigint;
  readonly #local = new RawAddress();
  /** The listening socket whose address is in place; -1 for none. */
  #localOf = -1;
  #count = 0;

  /**
   * @param libc The C library.
   * @param variables What there is to say.
   * @param words The rest of the environment, as `NAME=VALUE` words.
   */
  constructor(libc: Libc, variables: Variables, words: readonly string[]) {
    this.#libc = libc;
    const { facts, texts } = variables;
    const names = new Set([
      ...facts.map(([name]) => name),
      ...texts.map(nameOf),
    ]);
    const places = new Map<Fact, bigint>();
    const addresses = [
      ...words.filter((word) => !names.has(nameOf(word))),
      ...texts,
    ].map((word) => stringInCMemory(libc, word));
    for (const [name, fact] of facts) {
      const prefix = cString(`${name}=`);
      const room = new Uint8Array(prefix.length + FACT_BYTES[fact]);
      room.set(prefix);
      const address = inCMemory(libc, room);
      addresses.push(address);
      places.set(fact, address + BigInt(prefix.length - 1));
    }
    this.vector = inCMemory(
      libc,
      new Uint8Array(new BigUint64Array([...addresses, 0n]).buffer),
    );
    this.#places = places;
    this.#hasLocal = places.has("localHost");
    this.#hasRemote = places.has("remoteHost");
    this.#remoteHost = places.get("remoteHost") ?? 0n;
    // Both are written by one call.
    this.#remotePort = places.get("remotePort") ?? 0n;
  }

  /**
   * Writes down what is known of a connection. To be called while no child is
   * in the slot.
   *
   * @param connection Its descriptor.
   * @param caller What is known of it.
   */
  write(connection: number, { address, listening, count }: Caller): void {
    if (this.#hasRemote) {
      this.#writeAddress(address, this.#remoteHost, this.#remotePort);
    }
    if (this.#hasLocal) {
      if (this.#localOf !== listening || listening < 0) {
        this.#writeLocal(connection, listening);
      }
      if (this.#count !== count) {
        this.#writeNumber("count", this.#count = count);
      }
    }
    if (this.#places.has("uid")) this.#writeProcess(connection);
  }

  #writeLocal(connection: number, listening: number): void {
    const local = this.#local;
    const { localHost: host, localPort: port } = {
      localHost: this.#places.get("localHost") ?? 0n,
      localPort: this.#places.get("localPort") ?? 0n,
    };
    this.#localOf = -1;
    if (listening >= 0 && socketNameInto(this.#libc, listening, local)) {
      if (!local.isUnspecified) this.#localOf = listening;
    }
    // One that listens on every address tells none of them.
    if (this.#localOf < 0) socketNameInto(this.#libc, connection, local);
    this.#writeAddress(local, host, port);
  }

  #writeAddress(address: RawAddress, host: bigint, port: bigint): void {
    const { bytes, length } = address.unmapped;
    this.#libc.c.getnameinfo(
      bytes,
      length,
      host,
      HOST_BYTES,
      port,
      port === 0n ? 0 : PORT_BYTES,
      NUMERIC,
    );
  }

  #writeProcess(connection: number): void {
    const process = peerProcess(this.#libc, connection);
    // The kernel's own "no id", where it does not tell.
    const { uid, gid, pid } = process ?? { uid: -1, gid: -1, pid: 0 };
    this.#writeNumber("uid", uid);
    this.#writeNumber("gid", gid);
    this.#writeNumber("pid", pid);
  }

  #writeNumber(fact: Fact, number: number): void {
    const place = this.#places.get(fact);
    if (place === undefined) return;
    const text = cString(String(number));
    this.#libc.c.memcpy_out(place, text, BigInt(text.length));
  }
}

/** The environments of the commands of one slot, by the kind of address. */
export class EnvironmentAreas {
  readonly #libc: Libc;
  readonly #style: Exclude<ConnectionEnvironment, "none">;
  readonly #words: readonly string[];
  readonly #areas: Partial<Record<"inet" | "unix" | "other", EnvironmentArea>> =
    {};

  /**
   * @param libc The C library.
   * @param style Whose variables there are.
   * @param words The rest of the environment.
   */
  constructor(
    libc: Libc,
    style: Exclude<ConnectionEnvironment, "none">,
    words: readonly string[],
  ) {
    this.#libc = libc;
    this.#style = style;
    this.#words = words;
  }

  /**
   * Writes down what is known of a connection.
   *
   * @param connection Its descriptor.
   * @param caller What is known of it.
   * @returns The vector, as execve(2) takes it.
   */
  write(connection: number, caller: Caller): bigint {
    const { kind } = caller.address;
    const area = this.#areas[kind] ??= new EnvironmentArea(
      this.#libc,
      kind === "other" ? NOTHING : VARIABLES[this.#style][kind],
      this.#words,
    );
    area.write(connection, caller);
    return area.vector;
  }
}

function nameOf(word: string): string {
  return word.slice(0, word.indexOf("="));
}
