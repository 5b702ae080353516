/** A Consumer of NACK and what the server has → what deploying would change, and whether the server allows it. Pure. */
import type { ConsumerSpec } from '../../manifests/jetstream-yaml.ts';
import { consumerConfig } from '../../manifests/nack.ts';

type Config = Readonly<Record<string, unknown>>;
export type ConsumerChange = {
  /** As JetStream calls it. */
  readonly field: string;
  readonly from: string;
  readonly to: string;
  /** False: the server refuses it, and goes on with what it has. */
  readonly possible: boolean;
};

const FIXED = new Set(['deliver_policy', 'ack_policy', 'replay_policy', 'max_waiting', 'mem_storage']);
/** What the server takes for a field that is left out. */
const UNSET: Config = {
  headers_only: false,
  mem_storage: false,
  max_batch: 0,
  max_bytes: 0,
  max_expires: 0,
  inactive_threshold: 0,
  sample_freq: '',
};
/** An overlay sets the replicas; the words are for people. */
const LEFT_OUT = new Set(['num_replicas', 'description', 'metadata']);

/** One filter may be told as `filter_subject` or as a list of one; the order of several means nothing. */
function plain({ filter_subject, filter_subjects, ...config }: Config): Config {
  const filters = Array.isArray(filter_subjects) ? filter_subjects : filter_subject ? [filter_subject] : [];
  return { ...UNSET, ...config, filter_subjects: [...filters].sort() };
}

/** `config` is that of CONSUMER.INFO. */
export function consumerChanges(spec: ConsumerSpec, config: Config): ConsumerChange[] {
  const [wanted, there] = [plain(consumerConfig(spec)), plain(config)];
  return Object.keys(wanted)
    .filter((field) => !LEFT_OUT.has(field))
    .map((field) => ({
      field,
      from: JSON.stringify(there[field]) ?? 'unset',
      to: JSON.stringify(wanted[field]) ?? 'unset',
    }))
    .filter(({ from, to }) => from !== to)
    .map((change) => ({ ...change, possible: !FIXED.has(change.field) }));
}
