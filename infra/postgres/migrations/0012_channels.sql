-- Up Migration

-- A notifier names its channel itself: there is no list of them.
alter table notifications drop constraint notifications_channel_check;
