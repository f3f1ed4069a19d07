-- One payment per order. The state is what was decided last; what ends in -ing is an intent: written before the
-- provider is asked, kept until its answer is written.
create table payments (
    id uuid primary key,
    order_id uuid not null unique,
    user_id uuid not null,
    state text not null check (state in ('new', 'authorizing', 'authorized', 'declined', 'capturing', 'captured',
        'voiding', 'voided', 'refunding', 'refunded', 'tombstone')),
    -- Facts that may arrive before their turn.
    claimed boolean not null default false,
    cancelled boolean not null default false,
    amount_cents bigint not null check (amount_cents >= 0),
    currency text not null,
    -- What the provider gave for the card; never a card number. Empty until the order is known.
    token text not null,
    -- The order's lines as JSON, passed on with `payment.authorized`.
    lines text not null,
    -- Given back so far; also the guard that no more is given back than was taken.
    refunded_cents bigint not null default 0 check (refunded_cents between 0 and amount_cents),
    reason text,
    synthetic boolean not null,
    -- Questions without an answer since the intent was written.
    attempts integer not null default 0,
    -- From when anybody may ask the provider (again), while the state ends in -ing.
    due_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);

create index payments_of_user on payments (user_id, id desc);
create index payments_due on payments (due_at) where state in ('authorizing', 'capturing', 'voiding');
create index payments_synthetic on payments (created_at) where synthetic;
create index payments_tombstones on payments (created_at) where state = 'tombstone';

-- Money given back, in parts or because the order was cancelled.
create table payment_refunds (
    id uuid primary key,
    payment_id uuid not null references payments on delete cascade,
    amount_cents bigint not null check (amount_cents > 0),
    state text not null default 'pending' check (state in ('pending', 'done', 'declined')),
    reason text,
    -- Null when the order was cancelled.
    requested_by uuid,
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);

create index payment_refunds_of_payment on payment_refunds (payment_id, id);
create index payment_refunds_due on payment_refunds (due_at) where state = 'pending';

-- What the provider has told by itself.
create table payment_webhooks (
    event_id uuid primary key,
    key text not null,
    outcome text not null,
    received_at timestamptz not null default now()
);

create index payment_webhooks_age on payment_webhooks (received_at);
