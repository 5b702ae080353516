/** GET /v1/sales: what each day brought in and gave back, for staff, from sales_view. */
import * as z from 'zod/mini';
import { callerRoute, type Route } from '../../runtime/http.ts';
import { type Database, databaseError } from '../../runtime/postgres.ts';
import { salesOfDay } from '../answers.ts';
import { day } from '../query.ts';

const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

const daysIn = ({ from, to }: { readonly from: string; readonly to: string }): number =>
  (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;

const range = z
  .strictObject({ from: day('The first day (UTC).'), to: day(`The last day (UTC), at most ${MOST_DAYS} days in all.`) })
  .check(
    z.refine((days) => daysIn(days) >= 1, { path: ['to'], message: 'is before from; swap them' }),
    z.refine((days) => daysIn(days) <= MOST_DAYS, {
      path: ['to'],
      message: `makes more than ${MOST_DAYS} days; ask for fewer at a time`,
    }),
  );

async function salesBetween(database: Database, { from, to }: z.infer<typeof range>) {
  const text = `select day::text, currency, sum(orders)::float8 as orders,
      sum(revenue_minor)::float8 as "revenueMinor", sum(refunds)::float8 as refunds,
      sum(refunded_minor)::float8 as "refundedMinor"
    from sales_view where day between $1::date and $2::date
    group by sales_view.day, currency order by sales_view.day, currency`;
  try {
    return (await database.query<z.infer<typeof salesOfDay>>({ name: 'sales', text, values: [from, to] })).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

export const salesRoutes = (database: Database): Route[] => [
  callerRoute(
    {
      method: 'GET',
      path: '/v1/sales',
      summary: 'Orders, revenue and refunds of each day, by currency',
      details: 'An amount counts on the day it was paid or given back; a day without any is left out.',
      role: 'staff',
      query: range,
      answers: { 200: z.object({ sales: z.array(salesOfDay) }) },
    },
    async ({ query }) => ({ status: 200, body: { sales: await salesBetween(database, query) } }),
  ),
];
