/** A rendered overlay, a function and its image → the Kubernetes objects of that function alone. Pure. */
import { parseAllDocuments } from 'yaml';
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';

const container = z.looseObject({ image: z.string() });
const podTemplate = z.looseObject({ spec: z.looseObject({ containers: z.array(container).check(z.length(1)) }) });
const workload = z.looseObject({ spec: z.looseObject({ template: podTemplate }) });
const object = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: z.optional(z.record(z.string(), z.string())) }),
});

type KubernetesObject = z.infer<typeof object>;
/** `event`: KEDA takes it to zero; `http`: Knative does; `service`: always on. */
export type Scaling = 'event' | 'http' | 'service';
export type FunctionObjects = { readonly scaling: Scaling; readonly objects: readonly KubernetesObject[] };

const isKnative = ({ apiVersion, kind }: KubernetesObject): boolean =>
  kind === 'Service' && apiVersion.startsWith('serving.knative.dev/');

function withImage(one: KubernetesObject, image: string): KubernetesObject {
  const valid = validate(workload, one, `${one.kind} ${one.metadata.name}`);
  const { template } = valid.spec;
  const containers = template.spec.containers.map((each) => ({ ...each, image }));
  return { ...one, spec: { ...valid.spec, template: { ...template, spec: { ...template.spec, containers } } } };
}

/** Throws when the overlay has no such function. */
export function objectsOf(rendered: string, name: string, image: string): FunctionObjects {
  const documents = parseAllDocuments(rendered).map((document): unknown => document.toJS());
  const own = documents
    .filter((document) => document !== null)
    .map((document) => validate(object, document, 'the rendered overlay'))
    .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === name);
  const runs = (one: KubernetesObject): boolean => one.kind === 'Deployment' || isKnative(one);
  if (!own.some(runs))
    throw new Error(`the overlay has nothing that runs and is labelled app.kubernetes.io/name=${name}`);
  const kept = own.some(({ kind }) => kind === 'ScaledObject') ? 'event' : 'service';
  return {
    scaling: own.some(isKnative) ? 'http' : kept,
    objects: own.map((one) => (runs(one) ? withImage(one, image) : one)),
  };
}
