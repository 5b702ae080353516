-- Up Migration

-- The form in which an event's data was stored; code reads old forms by raising them to the newest.
alter table order_events add column schema_version smallint not null default 1;

-- The command that began the chain of which this event is a link: its own, or that to which a policy reacted.
alter table order_events add column correlation_id uuid;

-- Movements of money. One may be in flight an order; its id is the command's, and the provider's idempotency key.
create table payments (
  payment_id   uuid primary key,
  order_id     uuid not null,
  kind         text not null check (kind in ('charge', 'refund')),
  amount_minor bigint not null check (amount_minor > 0),
  currency     text not null,
  fingerprint  text not null,
  status       text not null default 'started' check (status in ('started', 'settled')),
  started_at   timestamptz not null default now()
);
create unique index payments_in_flight on payments (order_id) where status = 'started';
create index payments_of_order on payments (order_id);

-- What the local payment provider has moved: charges above zero, refunds below.
create table provider_ledger (
  key          uuid primary key,
  order_id     uuid not null,
  amount_minor bigint not null,
  currency     text not null,
  moved_at     timestamptz not null default now()
);

-- order-view: more ways to list
create index order_view_newest on order_view (created_at desc, order_id desc);
create index order_view_by_status on order_view (status, created_at desc, order_id desc);

-- sales-view: what an event adds to a day; the same event again changes nothing
create table sales_view (
  order_id       uuid not null,
  version        integer not null,
  day            date not null,
  currency       text not null,
  orders         integer not null,
  revenue_minor  bigint not null,
  refunds        integer not null,
  refunded_minor bigint not null,
  primary key (order_id, version)
);
create index sales_view_day on sales_view (day);
