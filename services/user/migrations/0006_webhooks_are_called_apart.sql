-- Webhooks are called by a loop of their own, so that a slow one holds up no feed. A row says when and by whom.
set local lock_timeout = '5s';

alter table user_webhook_deliveries
    -- The one under way included.
    add column attempts integer not null default 0,
    -- Not before; while it is under way, the end of its caller's lease. The default is for programs of the version
    -- before: what they write they deliver themselves, and theirs is taken over when they did not.
    add column due_at timestamptz not null default now() + interval '5 minutes',
    -- Who calls.
    add column claim uuid;

create index user_webhook_deliveries_waiting on user_webhook_deliveries (user_id, event_id) where state = 'waiting';

-- Nobody has called these for hours: their webhook was removed, or their message was given up.
update user_webhook_deliveries set state = 'given_up'
where state = 'waiting' and created_at < now() - interval '1 hour';
