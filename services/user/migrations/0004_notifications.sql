-- What happened to a customer's orders, for the feed in the shop. One per order and kind, however often its event comes.
create table user_notifications (
    id uuid primary key,
    user_id uuid not null,
    kind text not null,
    order_id uuid not null,
    created_at timestamptz not null default now(),
    read_at timestamptz,
    unique (order_id, kind)
);

create index user_notifications_of_user on user_notifications (user_id, id desc);
create index user_notifications_age on user_notifications (created_at);

-- Where a customer wants to be told by HTTP.
create table user_webhooks (
    user_id uuid primary key,
    url text not null,
    -- Signs the deliveries (HMAC-SHA-256).
    secret text not null,
    created_at timestamptz not null default now()
);

-- What has to be, or was, delivered there.
create table user_webhook_deliveries (
    event_id uuid primary key,
    user_id uuid not null,
    kind text not null,
    body text not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
    created_at timestamptz not null default now()
);

create index user_webhook_deliveries_of_user on user_webhook_deliveries (user_id);
create index user_webhook_deliveries_age on user_webhook_deliveries (created_at);
