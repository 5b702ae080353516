-- Up Migration

-- Events committed but not yet known to be published; a row older than a few seconds wakes outbox-relay.
create table outbox (
  event_id   text primary key,
  subject    text not null,
  headers    json not null,
  data       json not null,
  created_at timestamptz not null default now()
);
create index outbox_created_at on outbox (created_at);

-- users: state-stored
create table users (
  user_id       uuid primary key,
  email         text not null,
  password_hash text not null,
  role          text not null default 'customer' check (role in ('customer', 'staff')),
  created_at    timestamptz not null
);
create unique index users_email on users (lower(email));

-- orders: event-sourced
create table order_events (
  order_id    uuid not null,
  version     integer not null check (version > 0),
  event_id    text not null,
  type        text not null,
  data        json not null,
  command_id  uuid not null,
  actor       text not null,
  trace_id    text not null,
  occurred_at timestamptz not null,
  primary key (order_id, version)
);

-- Every command that was answered, with its answer: the version that it led to, or why it was refused.
create table commands (
  command_id   uuid primary key,
  type         text not null,
  fingerprint  text not null,
  aggregate_id uuid not null,
  version      integer not null,
  refusal      json,
  handled_at   timestamptz not null default now()
);

create table products (
  sku         text primary key,
  name        text not null,
  price_minor bigint not null check (price_minor >= 0),
  currency    char(3) not null,
  stock       integer not null check (stock >= 0),
  updated_at  timestamptz not null default now()
);

-- order-view: the read model
create table order_view (
  order_id    uuid primary key,
  version     integer not null,
  customer_id uuid not null,
  status      text not null,
  created_at  timestamptz not null,
  "order"     json not null
);
create index order_view_of_customer on order_view (customer_id, created_at desc, order_id desc);

-- notifiers: a claim an event and template, so that nothing is sent twice
create table notifications (
  event_id      text not null,
  template      text not null,
  status        text not null check (status in ('claimed', 'sent')),
  attempts      integer not null default 1,
  claimed_until timestamptz not null,
  sent_at       timestamptz,
  primary key (event_id, template)
);
