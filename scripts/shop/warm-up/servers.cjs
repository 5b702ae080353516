/** Stand-ins for a function's servers, each as small as the function can be led through one message by it. */
const { once } = require('node:events');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');

const ID = '0192f0c4-7a3e-7cc0-8000-000000000001';
const TIME = '2026-01-01T00:00:00.000Z';
const lines = [{ sku: 'mug', quantity: 1 }];
const order = {
  orderId: ID,
  version: 1,
  customerId: ID,
  status: 'open',
  paymentStatus: 'pending',
  fulfilmentStatus: 'unfulfilled',
  currency: 'EUR',
  lines: [{ sku: 'mug', name: 'Mug', quantity: 1, unitPriceMinor: 1250, totalMinor: 1250, shippedQuantity: 0 }],
  totalMinor: 1250,
  paidMinor: 0,
  refundedMinor: 0,
  shippingCountry: null,
  createdAt: TIME,
  paymentDueAt: '2099-01-01T00:00:00.000Z',
  shipments: [],
};

/** Stream → what a consumer of it gets once: subject and data. Of another function's commands the data is refused. */
const MESSAGES = {
  ORDERS: () => [`order.${ID}.created`, { order }],
  COMMANDS: (consumer) => [`command.order.${consumer.replace('-order', '')}`, { customerId: ID, lines }],
};

/** NATS: answers pings, gives a consumer its message, and confirms whatever has a subject for the answer. */
function nats(socket) {
  const subscriptions = new Map();
  const given = new Set();
  const deliver = (to, subject, reply, data, fields = {}) => {
    const head = ['NATS/1.0', ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), '', ''].join(
      '\r\n',
    );
    const own = ([wanted]) => wanted === to || (wanted.endsWith('.*') && to.startsWith(wanted.slice(0, -1)));
    const [, sid] = [...subscriptions].find(own) ?? [];
    const body = JSON.stringify(data);
    const sizes = `${head.length} ${head.length + body.length}`;
    if (sid) socket.write(`HMSG ${subject} ${sid} ${reply ? `${reply} ` : ''}${sizes}\r\n${head}${body}\r\n`);
  };
  const published = (subject, reply) => {
    const [, stream, consumer] = /^\$JS\.API\.CONSUMER\.MSG\.NEXT\.(\w+)\.(\S+)$/.exec(subject) ?? [];
    if (!stream) {
      if (reply && !subject.startsWith('$JS.')) deliver(reply, reply, '', { stream: 'ANY', seq: 1 });
      return;
    }
    if (!MESSAGES[stream] || given.has(stream)) return;
    given.add(stream);
    const [about, data] = MESSAGES[stream](consumer);
    const fields = {
      'ce-id': ID,
      'ce-source': '/warm-up',
      'ce-time': TIME,
      traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    };
    deliver(reply, about, `$JS.ACK.${stream}.${consumer}.1.1.1.${Date.now()}000000.0`, data, fields);
  };
  socket.write(
    `INFO ${JSON.stringify({ server_id: 'X', version: '2.12.0', proto: 1, headers: true, max_payload: 1_048_576, jetstream: true })}\r\n`,
  );
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const [verb, ...words] = rest.slice(0, end).split(' ');
      const size = verb.endsWith('PUB') ? Number(words.at(-1)) + 2 : 0;
      if (rest.length < end + 2 + size) return;
      rest = rest.slice(end + 2 + size);
      if (verb === 'PING') socket.write('PONG\r\n');
      if (verb === 'SUB') subscriptions.set(words[0], words.at(-1));
      const replies = verb === 'HPUB' ? words.length > 3 : words.length > 2;
      if (size > 0) published(words[0], replies ? words[1] : undefined);
    }
  });
}

/** What a statement has to give for the work to go on: a claim, and the product of an order. */
const ROWS = [
  [/ as claimed/, { claimed: true, status: 'claimed', state: null, unsubscribe_token: null }],
  [
    / as asked /,
    {
      snapshot: null,
      events: [],
      record: null,
      reads: [{ sku: 'mug', name: 'Mug', priceMinor: 1250, currency: 'EUR', stock: 9 }],
    },
  ],
];
const TYPES = { boolean: 16, object: 114 };

const message = (type, ...parts) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.from(`${type}0000`);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int16 = (value) => Buffer.from([value >> 8, value & 255]);
const int32 = (value) => Buffer.concat([int16((value >> 16) & 65_535), int16(value & 65_535)]);
const textOf = (value) =>
  typeof value === 'boolean' ? 't' : typeof value === 'string' ? value : JSON.stringify(value);

function describe(row) {
  if (!row) return message('n');
  const columns = Object.entries(row).flatMap(([name, value]) => [
    name,
    int32(0),
    int16(0),
    int32(TYPES[typeof value] ?? 25),
    int16(65_535),
    int32(0),
    int16(0),
  ]);
  return message('T', int16(Object.keys(row).length), ...columns);
}
function dataOf(row) {
  const values = Object.values(row).flatMap((value) => {
    if (value === null) return [Buffer.alloc(4, 255)];
    const text = Buffer.from(textOf(value));
    return [int32(text.length), text];
  });
  return message('D', int16(Object.keys(row).length), ...values);
}

/** Postgres: lets anybody in, and answers statements with the row above or none. */
function postgres(socket) {
  let rest = Buffer.alloc(0);
  let started = false;
  let row;
  const ready = message('Z', Buffer.from('I'));
  const answers = {
    P: (body) => {
      row = ROWS.find(([text]) => text.test(body))?.[1];
      return message('1');
    },
    B: () => message('2'),
    D: () => describe(row),
    E: () => Buffer.concat([...(row ? [dataOf(row)] : []), message('C', 'SELECT 0')]),
    S: () => ready,
    Q: () => Buffer.concat([message('C', 'SELECT 0'), ready]),
  };
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4 || rest.length < head + rest.readInt32BE(head)) return;
      const end = head + rest.readInt32BE(head);
      const type = started ? String.fromCharCode(rest[0]) : 'start';
      const body = rest.toString('latin1', head + 4, end);
      rest = rest.subarray(end);
      if (type === 'start') socket.write(Buffer.concat([message('R', int32(0)), ready]));
      else if (answers[type]) socket.write(answers[type](body));
      started = true;
    }
  });
}

/** SMTP: takes every e-mail. */
function smtp(socket) {
  let inData = false;
  socket.write('220 warm-up\r\n');
  socket.setEncoding('utf8').on('data', (chunk) => {
    if (inData && !chunk.endsWith('\r\n.\r\n')) return;
    const starts = !inData && /^DATA/i.test(chunk);
    inData = starts;
    socket.write(starts ? '354 go on\r\n' : '250 ok\r\n');
  });
}

/** user-service: every answer is a user, of whom it says id, address, role and time (fields 1 to 4). */
function grpc(stream) {
  const field = (number, text) => Buffer.from([number * 8 + 2, text.length, ...Buffer.from(text)]);
  const user = Buffer.concat([field(1, ID), field(2, 'somebody@example.com'), Buffer.from([24, 1, 34, 2, 8, 1])]);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([Buffer.from([0]), int32(user.length), user]));
}

const quietly = (serve) => (socket) => {
  socket.on('error', () => undefined);
  serve(socket);
};

/** Name → its port, on the loopback address. */
exports.openServers = async () => {
  const servers = {
    nats: net.createServer(quietly(nats)),
    postgres: net.createServer(quietly(postgres)),
    smtp: net.createServer(quietly(smtp)),
    grpc: http2.createServer().on('stream', quietly(grpc)),
    otlp: http.createServer((request, response) => request.resume().once('end', () => response.end('{}'))),
  };
  const ports = {};
  for (const [name, server] of Object.entries(servers)) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ports[name] = server.address().port;
  }
  return ports;
};
