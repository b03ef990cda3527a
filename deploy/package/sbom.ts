/**
 * What the program is made of, as CycloneDX: `sbom.ts REVISION` prints it, and
 * reads what `deno info --json main.ts` says. Hashes are those of deno.lock.
 *
 * The runtime is one component: of what it is built from, its own project
 * tells.
 *
 * @module
 */

import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import manifest from "../../deno.json" with { type: "json" };

/** A package of npm's that the program imports. */
interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

/** A lock file, as far as it matters here. */
interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** What there is to tell; of the same facts, the same text is made. */
export interface Facts {
  readonly lock: Lock;
  readonly packages: readonly NpmPackage[];
  /** The version of the runtime that it is compiled with. */
  readonly deno: string;
  /** The revision of the sources. */
  readonly revision: string;
}

/**
 * Makes the bill of materials.
 *
 * @param facts What the program is made of.
 * @returns CycloneDX 1.6, as JSON.
 * @throws {Error} If deno.lock has no hash of a package.
 */
export function billOfMaterials(
  { lock, packages, deno, revision }: Facts,
): string {
  const { Application, Library, Platform } = Enums.ComponentType;
  const bom = new Models.Bom();
  const program = component(Application, "spawnd", {
    version: manifest.version,
    purl: `pkg:generic/spawnd@${manifest.version}`,
  });
  program.properties.add(new Models.Property("spawnd:revision", revision));
  bom.metadata.component = program;
  const parts = [
    component(Platform, "deno", {
      version: deno,
      purl: `pkg:github/denoland/deno@v${deno}`,
    }),
    ...packages.map(({ name, version }) => {
      const part = component(Library, name, {
        version,
        purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      });
      const digest = sha512Of(lock, `${name}@${version}`);
      part.hashes.set(Enums.HashAlgorithm["SHA-512"], digest);
      return part;
    }),
  ];
  for (const part of parts) {
    bom.components.add(part);
    program.dependencies.add(part.bomRef);
  }
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const text = new Serialize.JsonSerializer(factory)
    .serialize(bom, { sortLists: true, space: 2 });
  return `${text}\n`;
}

function component(
  type: Enums.ComponentType,
  name: string,
  { version, purl }: { readonly version: string; readonly purl: string },
): Models.Component {
  // All of them are under the licence that spawnd is under.
  const licenses = [new Models.SpdxLicense(manifest.license)];
  return new Models.Component(type, name, {
    ...{ version, purl, bomRef: purl },
    licenses: new Models.LicenseRepository(licenses),
  });
}

/** As hexadecimal digits, which npm writes as base64. */
function sha512Of({ npm }: Lock, id: string): string {
  const [, digest] = /^sha512-(.+)$/.exec(npm[id]?.integrity ?? "") ?? [];
  if (digest === undefined) throw new Error(`deno.lock has no sha512 of ${id}`);
  return [...atob(digest)]
    .map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/**
 * Finds the packages that a graph of modules has.
 *
 * @param graph What `deno info --json` prints.
 * @returns Each of them once.
 */
export function packagesOf(graph: string): NpmPackage[] {
  const { modules }: { modules: { npmPackage?: string }[] } = JSON.parse(graph);
  const ids = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  return [...ids].map((id) => {
    const at = id.lastIndexOf("@");
    return { name: id.slice(0, at), version: id.slice(at + 1) };
  });
}

if (import.meta.main) {
  const text = billOfMaterials({
    lock: JSON.parse(Deno.readTextFileSync("deno.lock")),
    packages: packagesOf(await new Response(Deno.stdin.readable).text()),
    deno: Deno.version.deno,
    revision: Deno.args[0] ?? "unknown",
  });
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
