-- Up Migration

-- Deliveries that ended long ago are removed by the function that makes new ones.
create index webhook_deliveries_ended on webhook_deliveries (ended_at) where ended_at is not null;
grant delete on webhook_deliveries to notifications_webhooks;
