/** An error by which a rule says no ↔ what is kept of it with its command. Pure. */
import { AppError } from '../errors.ts';

/** Why a command was refused, as it is kept. */
export type Refusal = Pick<AppError, 'code' | 'slug' | 'message' | 'fields'>;

export const toRefusal = ({ code, slug, message, fields }: AppError): Refusal => ({ code, slug, message, fields });

export const fromRefusal = ({ code, slug, message, fields }: Refusal): AppError =>
  new AppError(code, slug, message, { fields });
