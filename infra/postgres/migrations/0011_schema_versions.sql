-- Up Migration

-- The column form of snapshots gets the name that events have for the same thing. Functions of the version before go on with
-- form until they are replaced; each reads only the snapshots that its own version wrote. The next release drops form.
alter table order_snapshots
  add column schema_version smallint not null default 0,
  alter column form drop not null;
update order_snapshots set schema_version = form;
