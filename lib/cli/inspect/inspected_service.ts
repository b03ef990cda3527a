/**
 * What is known of a service before anything of it is opened.
 *
 * @module
 */

import type { CheckedService } from "../../config/services.ts";
import type { InetEndpoint } from "../../net/inet_endpoint.ts";

/** A socket that a service would listen on. */
export type Endpoint =
  | ({ readonly kind: "inet"; readonly isDatagram?: true } & InetEndpoint)
  | { readonly kind: "unix"; readonly path: string };

/** A service, and all that it would listen on. */
export interface InspectedService {
  readonly service: CheckedService;
  readonly endpoints: readonly Endpoint[];
}
