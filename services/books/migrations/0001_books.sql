-- Who compares now; the others wait.
create table books_lease (
    name text primary key,
    holder uuid not null,
    until timestamptz not null
);

-- How far each walk has come. For orders a position is an order's id, for stock a product's.
create table books_cursors (
    name text primary key,
    position uuid not null,
    -- Sums of the pass under way, JSON.
    sums text not null default '[]',
    started_at timestamptz not null default now()
);

-- What does not hold. A finding that lasts is a violation; one that is gone keeps its row for a while.
create table books_findings (
    invariant text not null,
    object text not null,
    detail text not null,
    first_seen timestamptz not null default now(),
    last_seen timestamptz not null default now(),
    resolved_at timestamptz,
    -- Repairs tried, and when the next may be.
    repairs integer not null default 0,
    repair_at timestamptz not null default now(),
    primary key (invariant, object)
);

create index books_findings_open on books_findings (first_seen) where resolved_at is null;
create index books_findings_of_object on books_findings (object) where resolved_at is null;
create index books_findings_done on books_findings (resolved_at) where resolved_at is not null;

-- When each invariant was last looked at.
create table books_checks (
    invariant text primary key,
    checked_at timestamptz not null
);

-- Sums of the last complete pass.
create table books_totals (
    currency text primary key,
    orders bigint not null,
    confirmed_cents bigint not null,
    captured_cents bigint not null,
    refunded_cents bigint not null,
    at timestamptz not null default now()
);

-- Every repair: what was done and why, what the databases said before and, when the finding was gone, after. For ever.
create table books_audit (
    id uuid primary key,
    at timestamptz not null default now(),
    invariant text not null,
    object text not null,
    action text not null,
    why text not null,
    before text not null,
    after text,
    error text
);

create index books_audit_open on books_audit (object) where after is null and error is null;
