/** A YAML file → its documents, checked: what is wrong is one error that names the file, the field and what to do. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod/mini';
import { validate } from '../../functions/runtime/schema.ts';
import { shown } from '../registry/repository.ts';

export const text = z.string().check(z.minLength(1));
export const whole = z.int('must be a whole number').check(z.gte(0));
export const positive = z.int('must be a whole number').check(z.gte(1));
export const quotedWhole = quoted(/^\d+$/, 'must be a whole number in quotes, such as "16"');
export const quotedPositive = quoted(/^[1-9]\d*$/, 'must be a whole number above 0 in quotes, such as "16"');
export const quotedSeconds = quoted(/^\d+s$/, 'must be seconds in quotes, such as "10s"');

function quoted(pattern: RegExp, message: string) {
  return z.string(message).check(z.regex(pattern, message));
}

/** Object metadata of Kubernetes, as far as these files use it. */
export const metadata = z.strictObject({
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/, 'must be lower case letters, digits and hyphens')),
  namespace: z.optional(text),
  labels: z.optional(z.record(z.string(), z.string())),
});

/** The documents of a file that holds resources of one kind only. */
export function readResources<Schema extends z.ZodMiniType>(file: string, schema: Schema): z.infer<Schema>[] {
  const documents = parse(file);
  if (documents.length === 0) throw new Error(`${shown(file)} is empty; write the resource, or remove the file`);
  return documents.map((document) => validate(schema, document, shown(file)));
}

/** The document of a file that holds exactly one resource. */
export function readResource<Schema extends z.ZodMiniType>(file: string, schema: Schema): z.infer<Schema> {
  const documents = parse(file);
  if (documents.length !== 1) throw new Error(`${shown(file)} must hold one resource, and holds ${documents.length}`);
  return validate(schema, documents[0], shown(file));
}

/** The folder name is the function's name everywhere. */
export function sameName(file: string, name: string, fields: Readonly<Record<string, string>>): void {
  for (const [field, value] of Object.entries(fields)) {
    if (value !== name)
      throw new Error(`${shown(file)}: ${field} is '${value}'; write '${name}', the name of its folder`);
  }
}

function parse(file: string): unknown[] {
  const documents = parseAllDocuments(readText(file));
  const problem = documents.flatMap((document) => document.errors)[0];
  if (problem) throw new Error(`${shown(file)} is not valid YAML: ${problem.message}`);
  return documents.map((document): unknown => document.toJS()).filter((document) => document !== null);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${shown(file)} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}
