/** Series → the body of Prometheus's remote write 1.0: protobuf, in a snappy block that compresses nothing. Pure. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { TimeSeries } from './otlp-series.ts';

const LENGTH_DELIMITED = 2;
const FIXED64 = 1;
const VARINT = 0;

const inside = (writer: BinaryWriter, field: number, write: () => void): void => {
  writer.tag(field, LENGTH_DELIMITED).fork();
  write();
  writer.join();
};

/** Prometheus wants them sorted. */
function writeLabels(writer: BinaryWriter, labels: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
    inside(writer, 1, () => {
      writer.tag(1, LENGTH_DELIMITED).string(name);
      writer.tag(2, LENGTH_DELIMITED).string(value);
    });
}

function writeSeries(writer: BinaryWriter, { labels, samples, exemplars }: TimeSeries): void {
  writeLabels(writer, labels);
  for (const { value, at } of samples)
    inside(writer, 2, () => {
      writer.tag(1, FIXED64).double(value);
      writer.tag(2, VARINT).int64(at);
    });
  for (const { value, at, traceId } of exemplars)
    inside(writer, 3, () => {
      writeLabels(writer, { trace_id: traceId });
      writer.tag(2, FIXED64).double(value);
      writer.tag(3, VARINT).int64(at);
    });
}

/** The length, and then all as one literal whose length takes four bytes. */
function snappy(bytes: Uint8Array): Uint8Array {
  const literal = Buffer.alloc(5);
  literal.writeUInt8(63 << 2);
  literal.writeUInt32LE(bytes.length - 1, 1);
  return Buffer.concat([new BinaryWriter().uint32(bytes.length).finish(), literal, bytes]);
}

export function remoteWriteBody(series: readonly TimeSeries[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const each of series) inside(writer, 1, () => writeSeries(writer, each));
  return snappy(writer.finish());
}
