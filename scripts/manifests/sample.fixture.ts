/** Manifests of functions that are nowhere, for tests: a projector `parcel-view` of the stream PARCELS and an HTTP function `parcels-api`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { manifestsOf } from '../new/manifests.ts';
import { readShopStreams, type StreamSpec } from './jetstream-yaml.ts';

export const sampleStream: StreamSpec = {
  name: 'PARCELS',
  subjects: ['parcel.>'],
  retention: 'limits',
  storage: 'file',
  replicas: 1,
  discard: 'new',
  maxAge: '0s',
  duplicateWindow: '5m',
  allowRollup: true,
  allowAtomicPublish: true,
  preventDelete: true,
};

export const sampleStreams = [...readShopStreams(), sampleStream];

const sample = { consumes: ['parcel.sent'], stream: sampleStream.name, inFlight: 256 };
const samples = {
  'parcel-view': manifestsOf({ ...sample, name: 'parcel-view', kind: 'projector' }),
  'parcels-api': manifestsOf({ ...sample, name: 'parcels-api', kind: 'http' }),
};

/** Writes the manifests of one of them to a folder of its name, each as `change` makes it. */
export function writeSample(
  folder: string,
  name: keyof typeof samples,
  change: (text: string, file: string) => string = (text) => text,
): void {
  mkdirSync(path.join(folder, name));
  for (const [file, text] of Object.entries(samples[name]))
    writeFileSync(path.join(folder, name, file), change(text, file));
}
