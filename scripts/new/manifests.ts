/** A function's declaration → its folder in knative/functions/ as it begins: its consumer and what wakes it. Operators tune it from there. Pure. */
import type { Definition } from '../../functions/runtime/function.ts';
import { filterOf } from '../../functions/runtime/messages/message.ts';

type Named = Pick<Definition, 'kind' | 'stream' | 'consumes' | 'inFlight' | 'retriesInFlight'> & {
  readonly name: string;
};

const MOST_REPLICAS = 4;
const RETRIES_IN_FLIGHT = 8;

/** Tells no one about the past: a consumer that is made anew begins with what is new. */
const deliverPolicy = ({ kind }: Named): string => (kind === 'notifier' ? 'new' : 'all');

function consumers(fn: Named): string {
  const { name, stream, consumes, inFlight, retriesInFlight = RETRIES_IN_FLIGHT } = fn;
  const filters = consumes.map((type) => `    - ${filterOf(type)}\n`).join('');
  return `apiVersion: jetstream.nats.io/v1beta2
kind: Consumer
metadata: { name: ${name} }
spec:
  durableName: ${name}
  description: what ${name} takes
  deliverPolicy: ${deliverPolicy(fn)}
  ackPolicy: explicit
  ackWait: 30s
  maxDeliver: -1 # the function itself gives up what can never work, as a dead letter
  # generated: messages (npm run generate)
  streamName: ${stream}
  filterSubjects:
${filters}  # end of generated: messages
  maxAckPending: ${inFlight * MOST_REPLICAS} # at least maxReplicaCount x the messages that one replica has in work
  maxRequestExpires: 30s
  replicas: 1
  preventDelete: true
---
apiVersion: jetstream.nats.io/v1beta2
kind: Consumer
metadata: { name: ${name}-retries }
spec:
  streamName: RETRIES
  durableName: ${name}-retries
  description: messages whose wait for another attempt is over
  deliverPolicy: all
  ackPolicy: explicit
  ackWait: 30s
  maxDeliver: -1
  filterSubjects: ["retry.${name}"]
  maxAckPending: ${retriesInFlight * MOST_REPLICAS * 2}
  maxRequestExpires: 30s
  replicas: 1
  preventDelete: true
`;
}

const trigger = (name: string, stream: string, consumer: string, inWork: number): string => `    - type: nats-jetstream
      name: ${name}
      metricType: AverageValue
      useCachedMetrics: true
      authenticationRef: { name: nats-monitoring }
      metadata: { stream: ${stream}, consumer: ${consumer}, lagThreshold: "${inWork * 2}", activationLagThreshold: "0" } # one replica has ${inWork} in work
`;

const scaledObject = ({
  name,
  stream = '',
  inFlight,
  retriesInFlight = RETRIES_IN_FLIGHT,
}: Named): string => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: ${name} }
spec:
  scaleTargetRef: { name: ${name} }
  pollingInterval: 1
  cooldownPeriod: 15
  minReplicaCount: 0
  maxReplicaCount: ${MOST_REPLICAS}
  fallback: { failureThreshold: 3, replicas: 1, behavior: currentReplicasIfHigher }
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp: { stabilizationWindowSeconds: 0 }
        scaleDown: { stabilizationWindowSeconds: 15 }
  triggers:
${trigger('lag', stream, name, inFlight)}${trigger('retries', 'RETRIES', `${name}-retries`, retriesInFlight)}`;

const service = ({ name }: Named): string => `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/class: kpa.autoscaling.knative.dev
        autoscaling.knative.dev/metric: concurrency
        autoscaling.knative.dev/target: "100"
        autoscaling.knative.dev/target-utilization-percentage: "70"
        autoscaling.knative.dev/min-scale: "0"
        autoscaling.knative.dev/max-scale: "${MOST_REPLICAS}"
        autoscaling.knative.dev/initial-scale: "1"
        autoscaling.knative.dev/scale-to-zero-pod-retention-period: "5s"
        autoscaling.knative.dev/window: "10s"
    spec:
      containerConcurrency: 200
      timeoutSeconds: 45 # also the grace of a pod that ends, 30 s of which queue-proxy takes
      responseStartTimeoutSeconds: 40
      idleTimeoutSeconds: 40 # counts from the beginning of the request too: below the one above it would cut \`Prefer: wait\`
      containers:
        - image: millrace/${name}
          env:
            # Private ranges, of pods and nodes: the ingress, the activator when it is in the path, and queue-proxy.
            - name: TRUSTED_PROXIES
              value: "127.0.0.1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8"
          ports: [{ name: http1, containerPort: 8080 }]
          resources: { requests: { cpu: 20m, memory: 64Mi }, limits: { memory: 256Mi } }
`;

/** Name of a file in the folder → its text. */
export const manifestsOf = (fn: Named): Readonly<Record<string, string>> =>
  fn.kind === 'http'
    ? { 'service.yaml': service(fn) }
    : { 'consumer.yaml': consumers(fn), 'scaledobject.yaml': scaledObject(fn) };
