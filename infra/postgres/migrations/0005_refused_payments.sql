-- Up Migration

-- A payment that was refused before it began keeps its id, and nothing else: its command can begin it no more.
alter table payments
  drop constraint payments_status_check,
  add constraint payments_status_check check (status in ('started', 'settled', 'refused')),
  alter column order_id drop not null,
  alter column kind drop not null,
  alter column amount_minor drop not null,
  alter column currency drop not null,
  alter column fingerprint drop not null,
  add constraint payments_begun check (
    status <> 'started' or num_nulls(order_id, kind, amount_minor, currency, fingerprint) = 0
  );
