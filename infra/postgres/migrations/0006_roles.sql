-- Up Migration

-- Roles without a login, one a group of functions, with the rights that these need and no more; ../README.md lists them.
-- They are the cluster's, and another database may be migrated beside: one that is there already is taken as it is.
do $$
declare
  name text;
begin
  foreach name in array array[
    'commands_api', 'queries_api', 'event_ingress', 'orders_command', 'orders_projector', 'notifications_notifier',
    'users_service', 'platform_relay', 'outbox_reader'
  ] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I nologin', name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
  execute format('revoke temporary on database %I from public', current_database());
end $$;

revoke all on schema public from public;
grant usage on schema public to
  commands_api, queries_api, event_ingress, orders_command, orders_projector, notifications_notifier, users_service,
  platform_relay, outbox_reader;

grant select, insert, update on products to commands_api;
grant select on signing_keys to commands_api, event_ingress;

grant select on products, order_view, sales_view, order_events, signing_keys to queries_api;
grant select (command_id, type) on commands to queries_api;

grant select, insert on order_events, commands, provider_ledger to orders_command;
grant select, insert, delete on outbox to orders_command;
grant select, insert, update (status) on payments to orders_command;
grant select, update (stock, updated_at) on products to orders_command;

grant select, insert, update on order_view, sales_view to orders_projector;

grant select, insert, update on notifications to notifications_notifier;

-- Whoever makes somebody one of the staff is not a function.
grant select,
  insert (user_id, email, password_hash, name, created_at),
  update (password_hash, name, email_verified_at, suspended_at, suspension_reason)
  on users to users_service;
grant select, insert, update, delete on sessions, refresh_tokens, link_tokens, attempts, known_addresses
  to users_service;
grant select, insert, update on signing_keys to users_service;
grant select (event_id), insert, delete on outbox to users_service;

grant select, delete on outbox to platform_relay;

-- For the count by which outbox-relay is scaled.
grant select (created_at) on outbox to outbox_reader;
