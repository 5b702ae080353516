/** The queries of GET /v1/orders/{id} and /v1/orders, prepared, behind node:http and nothing else: what queries-api is measured against. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.DATABASE_CONNECTIONS) });

async function one(id: string): Promise<unknown> {
  const text = 'select "order" from order_view where order_id = $1';
  return (await pool.query({ name: 'one', text, values: [id] })).rows[0].order;
}

async function page(customer: string): Promise<unknown> {
  const text = 'select "order" from order_view where customer_id = $1 order by created_at desc, order_id desc limit 21';
  const { rows } = await pool.query({ name: 'page', text, values: [customer] });
  return { orders: rows.slice(0, 20).map(({ order }) => order) };
}

const server = createServer(async (request, response) => {
  const [, , , id] = (request.url ?? '').split('/');
  const body = JSON.stringify(await (id ? one(id) : page(String(request.headers.customer))));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: (server.address() as AddressInfo).port })}\n`);
});
