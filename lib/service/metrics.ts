/**
 * What a daemon counts, as families of Prometheus' metrics.
 *
 * @module
 */

import type { CountedTotals } from "../observe/service_counters.ts";
import type {
  Family,
  HistogramFamily,
  Labels,
  Sample,
} from "../observe/prometheus.ts";
import type { Libc } from "../posix/libc.ts";
import type { ListenQueue } from "../posix/listen_queue.ts";
import { ownUsage } from "../posix/resource_usage.ts";
import type { Service } from "./service.ts";
import { isServing, type Services, waitingFor } from "./status.ts";

const MS_PER_SECOND = 1000;

/** What the services do not know. */
export interface MetricsOptions {
  readonly libc: Libc;
  readonly version: string;
  readonly sinceMs: number;
  /** Whether nobody is to send it anybody. */
  readonly isDraining: boolean;
}

/**
 * Makes the families.
 *
 * @param services The services.
 * @param options What they do not know.
 */
export function* metricFamilies(
  services: Services,
  { libc, version, sinceMs, isDraining }: MetricsOptions,
): Generator<Family | HistogramFamily> {
  const all = labelled(services);
  const of = (value: (service: Service) => number | undefined) =>
    all.map(({ labels, service }) => ({ labels, value: value(service) }));
  yield gauge("spawnd_build_info", "The version that runs.", [
    { labels: { version }, value: 1 },
  ]);
  yield gauge(
    "spawnd_serving",
    "Whether clients are welcome: not while it drains or stops.",
    [{ value: isServing(services) && !isDraining ? 1 : 0 }],
  );
  yield gauge(
    "process_start_time_seconds",
    "When the daemon was started, in seconds since 1970.",
    [{ value: sinceMs / MS_PER_SECOND }],
  );
  yield counter(
    "process_cpu_seconds_total",
    "Processor time that the daemon itself has used.",
    [{ value: ownUsage(libc).processorMs / MS_PER_SECOND }],
  );
  yield gauge(
    "spawnd_commands",
    "Commands that run.",
    of((service) => service.count),
  );
  yield gauge(
    "spawnd_commands_limit",
    "How many commands may run at once.",
    of(({ limit }) => limit === 0 ? Infinity : limit),
  );
  const queues = new Map<Service, ListenQueue | undefined>();
  yield {
    name: "spawnd_connections_waiting",
    type: "gauge",
    help: "Connections in the kernel's queue.",
    samples: queueSamples((queue) => queue?.waiting),
  };
  yield {
    name: "spawnd_connections_waiting_limit",
    type: "gauge",
    help: "How many connections may wait in the kernel's queue.",
    samples: queueSamples((queue) => queue?.limit),
  };
  yield* countedFamilies(all);

  /** One by one, as the kernel is asked about each. */
  function* queueSamples(
    part: (queue: ListenQueue | undefined) => number | undefined,
  ): Generator<Sample> {
    for (const { labels, service } of all) {
      if (!queues.has(service)) queues.set(service, waitingFor(libc, service));
      yield { labels, value: part(queues.get(service)) };
    }
  }
}

/** A service with what tells its samples from those of others. */
interface Labelled {
  readonly labels: Labels;
  readonly service: Service;
}

/** A name may be that of an inet service and of a unix one. */
function labelled(services: Services): Labelled[] {
  return [...services].map(([id, service]) => ({
    labels: { service: service.name, type: id.split(" ")[0] ?? "" },
    service,
  }));
}

/** Counters, whose names and texts are here. */
const COUNTERS: readonly (readonly [
  name: string,
  help: string,
  value: (record: CountedTotals) => number,
])[] = [
  [
    "spawnd_connections_total",
    "Connections for which a command was to be started.",
    ({ connections }) => connections,
  ],
  [
    "spawnd_commands_not_started_total",
    "Connections that were closed since the command could not be started.",
    ({ notStarted }) => notStarted,
  ],
  [
    "spawnd_commands_failed_total",
    "Commands that ended with an exit status, or by a signal.",
    ({ failed }) => failed,
  ],
  [
    "spawnd_commands_timed_out_total",
    "Commands that were killed when their time was up.",
    ({ timedOut }) => timedOut,
  ],
  [
    "spawnd_commands_ended_by_hand_total",
    "Commands that spawnd kill has ended.",
    ({ endedByHand }) => endedByHand,
  ],
  [
    "spawnd_commands_processor_seconds_total",
    "Processor time of commands that have ended.",
    ({ processorMs }) => processorMs / MS_PER_SECOND,
  ],
];

function* countedFamilies(
  all: readonly Labelled[],
): Generator<Family | HistogramFamily> {
  const records = all.map(({ labels, service: { counters } }) => ({
    labels,
    record: counters.totals,
  }));
  for (const [name, help, value] of COUNTERS) {
    yield counter(
      name,
      help,
      records.map(({ labels, record }) => ({ labels, value: value(record) })),
    );
  }
  yield counter(
    "spawnd_connections_refused_total",
    "Connections that were refused.",
    records.flatMap(({ labels, record }) =>
      Object.entries(record.refused)
        .map(([reason, value]) => ({ labels: { ...labels, reason }, value }))
    ),
  );
  yield {
    name: "spawnd_command_duration_seconds",
    type: "histogram",
    help: "How long commands ran that have ended.",
    samples: all.map(({ labels, service }) => ({
      labels,
      histogram: service.counters.durations,
    })),
  };
}

function gauge(
  name: string,
  help: string,
  samples: readonly Sample[],
): Family {
  return { name, type: "gauge", help, samples };
}

function counter(
  name: string,
  help: string,
  samples: readonly Sample[],
): Family {
  return { name, type: "counter", help, samples };
}
