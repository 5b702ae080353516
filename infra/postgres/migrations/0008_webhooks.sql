-- Up Migration

-- Where partners want to be told of events. fingerprint: what the creation said, by which a repeat of it is known.
create table webhook_endpoints (
  endpoint_id     uuid primary key,
  url             text not null,
  event_types     text[] not null check (cardinality(event_types) > 0),
  description     text not null,
  enabled         boolean not null default true,
  disabled_reason text,
  fingerprint     uuid not null,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  check (enabled = (disabled_reason is null))
);

-- A new one signs beside the one before it, until that expires.
create table webhook_secrets (
  secret_id   uuid primary key,
  endpoint_id uuid not null references webhook_endpoints on delete cascade,
  secret      text not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz
);
create index webhook_secrets_of_endpoint on webhook_secrets (endpoint_id);

-- event: the CloudEvent, byte for byte as it is sent. redelivery: the last request to send it again.
create table webhook_deliveries (
  delivery_id     uuid primary key,
  endpoint_id     uuid not null references webhook_endpoints on delete cascade,
  event_id        text not null,
  type            text not null,
  event           text not null,
  status          text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'suppressed')),
  attempts        integer not null default 0,
  last_status     integer,
  last_reason     text,
  redelivery      uuid,
  next_attempt_at timestamptz,
  created_at      timestamptz(3) not null default now(),
  ended_at        timestamptz,
  unique (event_id, endpoint_id)
);
create index webhook_deliveries_of_endpoint on webhook_deliveries (endpoint_id, created_at desc, delivery_id desc);

-- A role is the cluster's: another database may have made it.
do $$ begin
  if not exists (select from pg_roles where rolname = 'notifications_webhooks') then
    create role notifications_webhooks nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;
grant usage on schema public to notifications_webhooks;

-- The secrets are for the function that signs with them: who takes requests can store one, and read none.
grant select, insert, delete, update (url, event_types, description, enabled, disabled_reason, updated_at)
  on webhook_endpoints to commands_api;
grant select (secret_id, endpoint_id, created_at, expires_at), insert, update (expires_at) on webhook_secrets
  to commands_api;
grant select, insert, update (status, redelivery, next_attempt_at, ended_at) on webhook_deliveries to commands_api;

grant select on webhook_endpoints, webhook_deliveries to queries_api;
grant select (endpoint_id, created_at, expires_at) on webhook_secrets to queries_api;

grant select, update (enabled, disabled_reason, updated_at) on webhook_endpoints to notifications_webhooks;
grant select on webhook_secrets to notifications_webhooks;
grant select, insert, update (status, attempts, last_status, last_reason, next_attempt_at, ended_at)
  on webhook_deliveries to notifications_webhooks;
