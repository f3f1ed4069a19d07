-- The test provider's own books. It stands for a system elsewhere: written by statements of their own, never in a
-- transaction of this service, so that what was really taken can be counted whatever the service believes.
create table provider_ledger (
    key text primary key,
    operation text not null check (operation in ('authorise', 'capture', 'void', 'refund')),
    payment_id uuid not null,
    order_id uuid not null,
    amount_cents bigint not null,
    currency text not null,
    outcome text not null check (outcome in ('done', 'declined')),
    reason text,
    -- How often it was asked, and at which time it did what was asked.
    attempts integer not null default 1,
    needed_attempts integer not null default 1,
    took_effect boolean not null generated always as (attempts >= needed_attempts) stored,
    synthetic boolean not null,
    at timestamptz not null default now()
);

create index provider_ledger_of_order on provider_ledger (order_id);
create index provider_ledger_synthetic on provider_ledger (at) where synthetic;

-- What it still has to tell by webhook, and how many times more.
create table provider_webhooks (
    event_id uuid primary key,
    key text not null,
    outcome text not null,
    reason text,
    deliveries_left integer not null
);

create index provider_webhooks_due on provider_webhooks (event_id) where deliveries_left > 0;
