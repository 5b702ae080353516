-- Up Migration

-- What was sent to whom, or why not: one row an event, template, recipient and channel, and one for each time it was sent
-- again when asked to. Rows of before do not know their recipient. No address is ever here.
alter table notifications
  add column id uuid not null default gen_random_uuid(),
  add column recipient uuid,
  add column channel text not null default 'email' check (channel in ('email')),
  add column reason text,
  add column order_id uuid,
  -- The function that sends it, and the event, for sending it again.
  add column sender text,
  add column type text,
  add column data json,
  -- Of the link in an e-mail that can be muted; whoever has it can mute, and no more.
  add column unsubscribe_token text unique,
  add column resend_of uuid,
  add column resends smallint not null default 0,
  add column created_at timestamptz(3) not null default now(),
  drop constraint notifications_pkey,
  add primary key (id),
  add unique (event_id, template, recipient, channel),
  drop constraint notifications_status_check,
  add constraint notifications_status_check check (status in ('claimed', 'sent', 'suppressed', 'failed'));
update notifications set created_at = coalesce(sent_at, claimed_until);
create index notifications_of_recipient on notifications (recipient, created_at desc, id desc);

-- The newest state of each order that a notifier has seen: what says nothing true any more is not sent.
create table notified_orders (
  order_id uuid primary key,
  version  integer not null,
  state    json not null
);

-- How users want to be told; without a row in English, and all of it.
create table notification_preferences (
  user_id    uuid primary key,
  locale     text not null default 'en',
  muted      text[] not null default '{}',
  updated_at timestamptz not null default now()
);

-- Addresses that take no e-mail: the SHA-256 of each in lower case.
create table refused_addresses (
  address_hash bytea primary key,
  source       text not null check (source in ('server', 'report')),
  since        timestamptz not null default now()
);

grant select, insert, update on notified_orders to notifications_notifier;
grant select on notification_preferences to notifications_notifier;
grant select, insert on refused_addresses to notifications_notifier;

grant select, insert, update (resends) on notifications to commands_api;
grant select, insert, update on notification_preferences to commands_api;
grant select, insert, delete on refused_addresses to commands_api;

grant select (id, event_id, template, recipient, channel, status, reason, attempts, order_id, resend_of, created_at, sent_at)
  on notifications to queries_api;
grant select on notification_preferences to queries_api;
