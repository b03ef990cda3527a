/**
 * The manifests of deploy/container: what docker-compose says of the one, and
 * the types of Kubernetes' own description of its API of the other.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Deployment } from "kubernetes-types/apps/v1";
import type { ConfigMap, Service } from "kubernetes-types/core/v1";
import { parseAll } from "@std/yaml";
import { peerTest } from "../e2e/load.ts";
import { Folder, output } from "../e2e/machine.ts";

const CONTAINER = new URL("../../deploy/container", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const DOCKER_COMPOSE = "/usr/bin/docker-compose";

/** Where the types are, and what they are called. */
const MODULES: Readonly<Record<string, string>> = {
  "v1": "core/v1",
  "apps/v1": "apps/v1",
};

type Resource = ConfigMap | Deployment | Service;

async function resources(): Promise<Resource[]> {
  const text = await Deno.readTextFile(`${CONTAINER}/kubernetes.yaml`);
  return parseAll(text) as Resource[]; // whether they are is checked below
}

/** A statement whose types hold if a resource is one, on a line of its own. */
function statementOf(text: string): string {
  const { apiVersion = "v1", kind }: Resource = JSON.parse(text);
  const type = `import("kubernetes-types/${MODULES[apiVersion]}").${kind}`;
  return `((_: ${type}) => {})(${text});`;
}

Deno.test("the resources for Kubernetes are what its API takes", async () => {
  await using folder = await Folder.create();
  const texts = (await resources()).map((each) => JSON.stringify(each));
  const lines = texts.flatMap((text) => [
    statementOf(text),
    // That a wrong name would be told.
    "// @ts-expect-error no such name",
    statementOf(text.replace('"metadata":', '"metaData":')),
  ]);
  const file = await folder.file("resources.ts", lines.join("\n"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--frozen", `--config=${CONFIG}`, file],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(texts.length, 3);
});

peerTest("docker-compose takes compose.yaml", DOCKER_COMPOSE, async () => {
  const path = `${CONTAINER}/compose.yaml`;
  await output(DOCKER_COMPOSE, "--file", path, "config", "--quiet");
});
