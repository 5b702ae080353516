/** Scaling rules read from YAML, and what is said about wrong ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FUNCTIONS, readConsumers, readShopStreams } from './jetstream-yaml.ts';
import { readRules } from './rules.ts';
import { sampleStreams, writeSample } from './sample.fixture.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-manifests-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Sample = Parameters<typeof writeSample>[1];

/** The rules of one function, with `text` replaced in one of its files. */
function read(name: Sample, file: string, text: string | RegExp, replacement: string) {
  writeSample(folder, name, (before, one) => {
    if (one !== file) return before;
    const after = before.replace(text, replacement);
    expect(after).not.toBe(before);
    return after;
  });
  return () => readRules(folder, readConsumers(folder, sampleStreams));
}

describe('The scaling rules of this repository', () => {
  const rules = readRules(FUNCTIONS, readConsumers(FUNCTIONS, readShopStreams()));
  it('let every event and HTTP function sleep at zero', () => {
    expect(rules.filter(({ min }) => min > 0)).toEqual(rules.filter(({ scaledBy }) => scaledBy === 'hpa'));
  });
  it('wake an event function for a single message or row', () => {
    const triggers = rules.flatMap((rule) => (rule.scaledBy === 'keda' ? rule.triggers : []));
    const activations = triggers.map((one) =>
      one.type === 'postgresql' ? one.activationTargetQueryValue : one.activationLagThreshold,
    );
    expect(new Set(activations)).toEqual(new Set([0]));
  });
});

describe('A ScaledObject', () => {
  const change = (text: string | RegExp, replacement: string) =>
    read('parcel-view', 'scaledobject.yaml', text, replacement);
  it('becomes a rule with numbers', () => {
    expect(change('cooldownPeriod: 15', 'cooldownPeriod: 30')()).toMatchObject([
      {
        scaledBy: 'keda',
        name: 'parcel-view',
        min: 0,
        pollingIntervalSeconds: 1,
        cooldownSeconds: 30,
        scaleDownStabilizationSeconds: 15,
        triggers: [
          { type: 'nats-jetstream', stream: 'PARCELS', consumer: 'parcel-view', activationLagThreshold: 0 },
          { type: 'nats-jetstream', stream: 'RETRIES', consumer: 'parcel-view-retries', activationLagThreshold: 0 },
        ],
      },
    ]);
  });
  it('without a cooldown is refused, naming the file and the field', () => {
    expect(change(/ +cooldownPeriod.*\n/, '')).toThrow(
      /parcel-view\/scaledobject.yaml .*spec.cooldownPeriod: is missing/,
    );
  });
  it('with a field that is not followed here is refused', () => {
    expect(change('pollingInterval: 1', 'pollingInterval: 1\n  idleReplicaCount: 0')).toThrow(
      'spec.idleReplicaCount: is not a known field; leave it out',
    );
  });
  it('with a threshold that is no text, which Kubernetes would refuse, is refused', () => {
    expect(change(/lagThreshold: "\d+"/, 'lagThreshold: 5')).toThrow(
      'spec.triggers[0].metadata.lagThreshold: must be a whole number above 0 in quotes, such as "16"',
    );
  });
  it('of another name than its folder is refused', () => {
    expect(change(/scaleTargetRef: \{ ?name: parcel-view/, 'scaleTargetRef: { name: parcels')).toThrow(
      "spec.scaleTargetRef.name is 'parcels'; write 'parcel-view', the name of its folder",
    );
  });
  it('with a least number above the most is refused', () => {
    expect(change('minReplicaCount: 0', 'minReplicaCount: 9')).toThrow(
      'the least number of replicas, 9, is above the most, 4',
    );
  });
  it('whose consumer nobody declares is refused', () => {
    expect(change('consumer: parcel-view', 'consumer: parcels-view')).toThrow(
      "no consumer.yaml declares a consumer 'parcels-view' of stream 'PARCELS'",
    );
  });
  it('that is not YAML is refused, with the place', () => {
    expect(change(/metadata: \{ ?name: parcel-view ?\}/, 'metadata: { name: parcel-view')).toThrow(
      /is not valid YAML: .*line 4/,
    );
  });
});

describe('A Knative Service', () => {
  const change = (text: string | RegExp, replacement: string) => read('parcels-api', 'service.yaml', text, replacement);
  it('becomes a rule with numbers', () => {
    expect(change('window: "10s"', 'window: "20s"')()).toEqual([
      {
        scaledBy: 'knative',
        name: 'parcels-api',
        min: 0,
        max: 4,
        targetConcurrency: 100,
        utilization: 0.7,
        windowSeconds: 20,
        retentionSeconds: 5,
        containerConcurrency: 200,
        timeoutSeconds: 45,
        responseStartTimeoutSeconds: 40,
      },
    ]);
  });
  it('with an annotation that is not followed here is refused', () => {
    expect(change('window: "10s"', 'window: "10s"\n        autoscaling.knative.dev/scale-down-delay: "5s"')).toThrow(
      /annotations.autoscaling.knative.dev\/scale-down-delay: is not a known field/,
    );
  });
  it('with a period in no unit is refused', () => {
    expect(change('window: "10s"', 'window: "10"')).toThrow('must be seconds in quotes, such as "10s"');
  });
});

describe("A function's folder", () => {
  it('without a scaling rule is refused', () => {
    writeSample(folder, 'parcel-view');
    rmSync(path.join(folder, 'parcel-view/scaledobject.yaml'));
    expect(() => readRules(folder, [])).toThrow(/parcel-view has no scaling rule; add one of scaledobject.yaml/);
  });
  it('with two scaling rules is refused', () => {
    writeSample(folder, 'parcel-view');
    writeFileSync(path.join(folder, 'parcel-view/hpa.yaml'), '');
    expect(() => readRules(folder, [])).toThrow(/parcel-view has scaledobject.yaml and hpa.yaml; keep one of them/);
  });
});
