import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { billOfMaterials, packagesOf } from "../../../deploy/package/sbom.ts";
// The validator looks for these by itself.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";

const FACTS = {
  lock: { npm: { "@a/b@1.2.3": { integrity: "sha512-AAEC/w==" } } },
  packages: [{ name: "@a/b", version: "1.2.3" }],
  deno: "2.7.11",
  revision: "0123456789ab",
};

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

/** A digest of the right length, as deno.lock has it. */
const INTEGRITY = `sha512-${btoa("\x01".repeat(64))}`;

function billWith(integrity: string): string {
  return billOfMaterials({
    ...FACTS,
    lock: { npm: { "@a/b@1.2.3": { integrity } } },
  });
}

Deno.test("billOfMaterials() is what the schema of CycloneDX says", async () => {
  const bill = billWith(INTEGRITY);
  assertEquals(await validator.validate(bill), null);
  assert(await validator.validate(bill.replace("MIT", "none")) !== null);
});

Deno.test("billOfMaterials() has the runtime and each package, by its hash", () => {
  const { components, metadata } = JSON.parse(billWith(INTEGRITY));
  assertEquals(metadata.component.name, "spawnd");
  assertEquals(
    components.map((each: Record<string, unknown>) => [
      each["purl"],
      each["hashes"],
    ]),
    [
      ["pkg:github/denoland/deno@v2.7.11", undefined],
      ["pkg:npm/%40a/b@1.2.3", [
        { alg: "SHA-512", content: "01".repeat(64) },
      ]],
    ],
  );
});

Deno.test("billOfMaterials() makes the same of the same", () => {
  assertEquals(billWith(INTEGRITY), billWith(INTEGRITY));
});

Deno.test("billOfMaterials() refuses a package without a hash", () => {
  const facts = { ...FACTS, lock: { npm: {} } };
  assertThrows(() => billOfMaterials(facts), Error, "no sha512 of @a/b@1.2.3");
});

Deno.test("packagesOf() gives each package of a graph once", () => {
  const graph = {
    modules: [
      { kind: "esm", specifier: "file:///main.ts" },
      { kind: "npm", npmPackage: "@a/b@1.2.3" },
      { kind: "npm", npmPackage: "@a/b@1.2.3" },
      { kind: "npm", npmPackage: "c@0.1.0-rc.1" },
    ],
  };
  assertEquals(packagesOf(JSON.stringify(graph)), [
    { name: "@a/b", version: "1.2.3" },
    { name: "c", version: "0.1.0-rc.1" },
  ]);
});
