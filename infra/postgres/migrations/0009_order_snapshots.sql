-- Up Migration

-- The state of each order with many events at some version of it: whoever needs the order reads this and the events since.
-- form: that of the state; code that knows another form reads all events. The events are the truth: any row can be deleted.
create table order_snapshots (
  order_id uuid primary key,
  version  integer not null,
  form     smallint not null,
  state    json not null
);

grant select, insert, update on order_snapshots to orders_command;
