/** The errors of a call to a service, with its fields named as the request had them. */
import { AppError } from '../runtime/errors.ts';

/** `names`: field of the service → field of the request; others keep their name. Throws what `work` throws. */
export async function withFieldsNamed<Result>(
  names: Readonly<Record<string, string>>,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AppError) || error.fields.length === 0) throw error;
    const fields = error.fields.map(({ field, message }) => ({ field: names[field] ?? field, message }));
    const { code, slug, message, retryAfterMs } = error;
    throw new AppError(code, slug, message, {
      cause: error.cause,
      fields,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}
